import { png } from '../../support/png.ts'
import { ACCOUNT } from '../in-process-registry.ts'
import { type Samples, type Seed, type SeedCall, sample } from './sample.ts'
import { inApp } from './sample-image.ts'
import { imageIds, paging, registryId, seedShared, sharedSamples, statement, tags } from './shared-samples.ts'

const own = {
  resourceArn: `arn:aws:ecr-public::${ACCOUNT}:repository/team/app`,
  policyText: statement({ Action: 'ecr-public:DescribeImages' }),
}
const catalogData = {
  description: 'An app',
  architectures: ['ARM 64'],
  operatingSystems: ['Linux'],
  logoImageBlob: png(60, 60),
  aboutText: '# About',
  usageText: 'docker run',
}

/** The samples of ECR Public's operations. */
export function ecrPublicSamples(seed: Seed): Samples {
  return {
    ...sharedSamples(seed, own),
    CreateRepository: sample({ repositoryName: 'team/new' }, { catalogData, tags }),
    DescribeImageTags: sample(inApp, { ...registryId, ...paging }),
    DescribeImages: sample(inApp, { ...registryId, imageIds, ...paging }),
    DescribeRegistries: sample({}, paging),
    GetAuthorizationToken: sample({}, {}),
    GetRegistryCatalogData: sample({}, {}),
    GetRepositoryCatalogData: sample(inApp, registryId),
    PutRegistryCatalogData: sample({}, { displayName: 'Somebody' }),
    PutRepositoryCatalogData: sample({ ...inApp, catalogData }, registryId),
  }
}

/** Makes what the samples speak of, by the API alone. */
export async function seedEcrPublic(call: SeedCall): Promise<Seed> {
  const uploadId = await seedShared(call, own)
  await call('PutRegistryCatalogData', { displayName: 'Somebody' })
  await call('PutRepositoryCatalogData', { ...inApp, catalogData })
  const { registries } = (await call('DescribeRegistries', {})).body as {
    readonly registries: readonly RegistryOutput[]
  }
  const [alias] = registries.flatMap(({ aliases }) => aliases)
  if (alias === undefined) throw new Error('The registry has no alias')
  return { uploadId, alias: alias.name }
}

interface RegistryOutput {
  readonly aliases: readonly { readonly name: string }[]
}
