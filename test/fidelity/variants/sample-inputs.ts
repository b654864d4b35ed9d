import { sha256 } from '../../support/image-builder.ts'
import { ACCOUNT, type ApiAnswer, type InProcessRegistry, REGION } from '../in-process-registry.ts'

type Members = Readonly<Record<string, unknown>>

/** A good input of an operation: what must be there, what may be there too, and the calls that make it good. */
export interface Sample {
  readonly input: Members
  readonly optional: Members
  /** The error that is the right answer to a good input. */
  readonly refusal?: string
  readonly before?: readonly (readonly [operation: string, input: Members])[]
}

/** What the samples speak of; made anew in every registry. */
export interface Seed {
  readonly uploadId: string
}

const CONFIG = '{}'
const LAYER = 'bytes of a layer'
const IMAGE_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const MANIFEST = manifestNamed('v1')
const DIGEST = sha256(MANIFEST)
const ROLE = `arn:aws:iam::${ACCOUNT}:role/scanner`
const ARN = `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/team/app`

const inApp = { repositoryName: 'team/app' }
const registryId = { registryId: ACCOUNT }
const imageIds = [{ imageTag: 'v1', imageDigest: DIGEST }]
const paging = { maxResults: 7, nextToken: 'a token of somebody else' }
const filter = { tagStatus: 'TAGGED', imageStatus: 'ACTIVE' }
const mutability = {
  imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
  imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'v*' }],
}
const tags = [{ Key: 'team', Value: 'platform' }]
const lifecyclePolicyText = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 5 },
      action: { type: 'expire' },
    },
  ],
})
const policyText = statement({ Action: 'ecr:BatchGetImage' })
const registryPolicyText = statement({
  Action: 'ecr:CreateRepository',
  Resource: `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/*`,
})
const signingConfiguration = {
  rules: [
    {
      signingProfileArn: `arn:aws:signer:${REGION}:${ACCOUNT}:/signing-profiles/release`,
      repositoryFilters: [{ filter: 'none/*', filterType: 'WILDCARD_MATCH' }],
    },
  ],
}
const templateSettings = {
  appliedFor: ['CREATE_ON_PUSH'],
  customRoleArn: `arn:aws:iam::${ACCOUNT}:role/creator`,
  description: 'for what teams push',
  encryptionConfiguration: { encryptionType: 'AES256', kmsKey: '' },
  ...mutability,
  lifecyclePolicy: lifecyclePolicyText,
  repositoryPolicy: policyText,
  resourceTags: tags,
}

/** The sample of every operation that is handled. */
export function sampleOf(operation: string, { uploadId }: Seed): Sample {
  const upload = { ...inApp, uploadId }
  const part = { partFirstByte: 0, partLastByte: 2, layerPartBlob: Buffer.from('abc').toString('base64') }
  const samples: Readonly<Record<string, Sample>> = {
    BatchCheckLayerAvailability: sample({ ...inApp, layerDigests: [sha256(LAYER)] }, registryId),
    BatchDeleteImage: sample({ ...inApp, imageIds }, registryId),
    BatchGetImage: sample({ ...inApp, imageIds }, { ...registryId, acceptedMediaTypes: [IMAGE_TYPE] }),
    CompleteLayerUpload: {
      ...sample({ ...upload, layerDigests: [sha256('abc')] }, registryId),
      before: [['UploadLayerPart', { ...upload, ...part }]],
    },
    CreateRepository: sample(
      { repositoryName: 'team/new' },
      {
        ...registryId,
        ...mutability,
        encryptionConfiguration: { encryptionType: 'AES256', kmsKey: 'alias/none' },
        imageScanningConfiguration: { scanOnPush: true },
        tags,
      },
    ),
    CreateRepositoryCreationTemplate: sample({ prefix: 'new/', appliedFor: ['CREATE_ON_PUSH'] }, templateSettings),
    DeleteLifecyclePolicy: sample(inApp, registryId),
    DeleteRegistryPolicy: sample({}, {}),
    DeleteRepository: sample({ repositoryName: 'team/empty' }, { ...registryId, force: true }),
    DeleteRepositoryCreationTemplate: sample({ prefix: 'team/' }, {}),
    DeleteRepositoryPolicy: sample(inApp, registryId),
    DeleteSigningConfiguration: { ...sample({}, {}), before: [['PutSigningConfiguration', { signingConfiguration }]] },
    DeregisterPullTimeUpdateExclusion: sample({ principalArn: ROLE }, {}),
    DescribeImageSigningStatus: sample({ ...inApp, imageId: { imageTag: 'v1', imageDigest: DIGEST } }, registryId),
    DescribeImageScanFindings: {
      ...sample({ ...inApp, imageId: { imageTag: 'v1', imageDigest: DIGEST } }, { ...registryId, ...paging }),
      refusal: 'ScanNotFoundException',
    },
    DescribeImages: sample(inApp, { ...registryId, filter, imageIds, ...paging }),
    DescribeRegistry: sample({}, {}),
    DescribeRepositories: sample({}, { ...registryId, repositoryNames: ['team/app'], ...paging }),
    DescribeRepositoryCreationTemplates: sample({}, { prefixes: ['team/'], ...paging }),
    GetAccountSetting: sample({ name: 'BLOB_MOUNTING' }, {}),
    GetAuthorizationToken: sample({}, { registryIds: [ACCOUNT] }),
    GetDownloadUrlForLayer: sample({ ...inApp, layerDigest: sha256(LAYER) }, registryId),
    GetLifecyclePolicy: sample(inApp, registryId),
    GetLifecyclePolicyPreview: {
      ...sample(inApp, { ...registryId, filter: { tagStatus: 'TAGGED' }, imageIds, ...paging }),
      before: [['StartLifecyclePolicyPreview', inApp]],
    },
    GetRegistryPolicy: sample({}, {}),
    GetRepositoryPolicy: sample(inApp, registryId),
    GetSigningConfiguration: { ...sample({}, {}), before: [['PutSigningConfiguration', { signingConfiguration }]] },
    InitiateLayerUpload: sample(inApp, registryId),
    ListImageReferrers: sample(
      { ...inApp, subjectId: { imageDigest: DIGEST } },
      { ...registryId, filter: { artifactTypes: ['application/sbom'], artifactStatus: 'ACTIVE' }, ...paging },
    ),
    ListImages: sample(inApp, { ...registryId, filter, ...paging }),
    ListPullTimeUpdateExclusions: sample({}, paging),
    ListTagsForResource: sample({ resourceArn: ARN }, {}),
    PutAccountSetting: sample({ name: 'BLOB_MOUNTING', value: 'ENABLED' }, {}),
    PutImage: sample(
      { ...inApp, imageManifest: manifestNamed('v2') },
      {
        ...registryId,
        imageTag: 'v2',
        imageDigest: sha256(manifestNamed('v2')),
        imageManifestMediaType: IMAGE_TYPE,
      },
    ),
    PutImageScanningConfiguration: sample({ ...inApp, imageScanningConfiguration: { scanOnPush: true } }, registryId),
    PutImageTagMutability: sample({ ...inApp, imageTagMutability: 'IMMUTABLE' }, { ...registryId, ...mutability }),
    PutLifecyclePolicy: sample({ ...inApp, lifecyclePolicyText }, registryId),
    PutRegistryPolicy: sample({ policyText: registryPolicyText }, {}),
    PutSigningConfiguration: sample({ signingConfiguration }, {}),
    RegisterPullTimeUpdateExclusion: sample({ principalArn: `${ROLE}-2` }, {}),
    SetRepositoryPolicy: sample({ ...inApp, policyText }, { ...registryId, force: true }),
    StartLifecyclePolicyPreview: sample(inApp, { ...registryId, lifecyclePolicyText }),
    TagResource: sample({ resourceArn: ARN, tags }, {}),
    UntagResource: sample({ resourceArn: ARN, tagKeys: ['team'] }, {}),
    UpdateImageStorageClass: sample(
      { ...inApp, imageId: { imageTag: 'v1', imageDigest: DIGEST }, targetStorageClass: 'ARCHIVE' },
      registryId,
    ),
    UpdateRepositoryCreationTemplate: sample({ prefix: 'team/' }, templateSettings),
    UploadLayerPart: sample({ ...upload, ...part }, registryId),
  }
  const found = samples[operation]
  if (found === undefined) throw new Error(`${operation} has no sample`)
  return found
}

const sample = (input: Members, optional: Members): Sample => ({ input, optional })

/** The value of a sample at a path such as `imageIds[].imageTag`; at the empty path, what must be there. */
export function sampleAt({ input, optional }: Sample, path: string): unknown {
  if (path === '') return input
  let value: unknown = { ...optional, ...input }
  for (const step of path.split(/\.|(?=\[\])/))
    value = step === '[]' ? (value as readonly unknown[])[0] : (value as Members)[step]
  if (value === undefined) throw new Error(`The sample has no ${path}`)
  return value
}

/** Makes what the samples speak of, by the API alone. */
export async function seed(registry: InProcessRegistry): Promise<Seed> {
  const call = async (operation: string, input: Members) => {
    const answer = await registry.call(operation, input)
    if (answer.status !== 200) throw new Error(`${operation}: ${JSON.stringify(answer.body)}`)
    return answer
  }
  await call('CreateRepository', { ...inApp, tags })
  await call('CreateRepository', { repositoryName: 'team/empty' })
  for (const content of [CONFIG, LAYER]) {
    const upload = { ...inApp, uploadId: uploadIdOf(await call('InitiateLayerUpload', inApp)) }
    const bytes = Buffer.from(content)
    const part = { partFirstByte: 0, partLastByte: bytes.length - 1, layerPartBlob: bytes.toString('base64') }
    await call('UploadLayerPart', { ...upload, ...part })
    await call('CompleteLayerUpload', { ...upload, layerDigests: [sha256(content)] })
  }
  await call('PutImage', { ...inApp, imageManifest: MANIFEST, imageTag: 'v1' })
  await call('SetRepositoryPolicy', { ...inApp, policyText })
  await call('PutRegistryPolicy', { policyText: registryPolicyText })
  await call('PutLifecyclePolicy', { ...inApp, lifecyclePolicyText })
  await call('CreateRepositoryCreationTemplate', { prefix: 'team/', appliedFor: ['CREATE_ON_PUSH'] })
  await call('RegisterPullTimeUpdateExclusion', { principalArn: ROLE })
  return { uploadId: uploadIdOf(await call('InitiateLayerUpload', inApp)) }
}

const uploadIdOf = ({ body }: ApiAnswer) => String(body.uploadId)

function statement(members: Members): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: '*', ...members }] })
}

function manifestNamed(name: string): string {
  const descriptor = (mediaType: string, content: string) => ({
    mediaType,
    digest: sha256(content),
    size: content.length,
  })
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: IMAGE_TYPE,
    config: descriptor('application/vnd.oci.image.config.v1+json', CONFIG),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', LAYER)],
    annotations: { name },
  })
}
