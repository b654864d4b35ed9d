import { sha256 } from '../../support/image-builder.ts'
import { ACCOUNT } from '../in-process-registry.ts'
import { type Members, type Samples, type Seed, type SeedCall, sample } from './sample.ts'
import {
  DIGEST,
  IMAGE_TYPE,
  inApp,
  LAYER,
  manifestNamed,
  partOf,
  pushSampleImage,
  startUpload,
} from './sample-image.ts'

export const registryId = { registryId: ACCOUNT }
export const imageIds = [{ imageTag: 'v1', imageDigest: DIGEST }]
export const paging = { maxResults: 7, nextToken: 'a token of somebody else' }
export const tags = [{ Key: 'team', Value: 'platform' }]

/** How one service names what the other has too. */
export interface Own {
  /** Of the repository `team/app`. */
  readonly resourceArn: string
  readonly policyText: string
}

/** The samples of operations whose inputs are alike in ECR and ECR Public. */
export function sharedSamples({ uploadId, alias }: Seed, { resourceArn, policyText }: Own): Samples {
  const pushRegistry = { registryId: alias }
  const upload = { ...inApp, uploadId }
  const part = partOf('abc')
  return {
    BatchCheckLayerAvailability: sample({ ...inApp, layerDigests: [sha256(LAYER)] }, pushRegistry),
    BatchDeleteImage: sample({ ...inApp, imageIds }, pushRegistry),
    CompleteLayerUpload: {
      ...sample({ ...upload, layerDigests: [sha256('abc')] }, pushRegistry),
      before: [['UploadLayerPart', { ...upload, ...part }]],
    },
    DeleteRepository: sample({ repositoryName: 'team/empty' }, { ...registryId, force: true }),
    DeleteRepositoryPolicy: sample(inApp, registryId),
    DescribeRepositories: sample({}, { ...registryId, repositoryNames: ['team/app'], ...paging }),
    GetRepositoryPolicy: sample(inApp, registryId),
    InitiateLayerUpload: sample(inApp, pushRegistry),
    ListTagsForResource: sample({ resourceArn }, {}),
    PutImage: sample(
      { ...inApp, imageManifest: manifestNamed('v2') },
      {
        ...pushRegistry,
        imageTag: 'v2',
        imageDigest: sha256(manifestNamed('v2')),
        imageManifestMediaType: IMAGE_TYPE,
      },
    ),
    SetRepositoryPolicy: sample({ ...inApp, policyText }, { ...registryId, force: true }),
    TagResource: sample({ resourceArn, tags }, {}),
    UntagResource: sample({ resourceArn, tagKeys: ['team'] }, {}),
    UploadLayerPart: sample({ ...upload, ...part }, pushRegistry),
  }
}

/** Makes what these samples speak of. Answers the id of an upload that was begun. */
export async function seedShared(call: SeedCall, { policyText }: Own): Promise<string> {
  await call('CreateRepository', { ...inApp, tags })
  await call('CreateRepository', { repositoryName: 'team/empty' })
  await pushSampleImage(call)
  await call('SetRepositoryPolicy', { ...inApp, policyText })
  return startUpload(call)
}

export function statement(members: Members): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', ...members }] })
}
