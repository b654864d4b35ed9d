import { sha256 } from '../../support/image-builder.ts'
import { ACCOUNT, OTHER_ACCOUNT, REGION } from '../in-process-registry.ts'
import { type Samples, type Seed, type SeedCall, sample } from './sample.ts'
import { DIGEST, IMAGE_TYPE, inApp, LAYER } from './sample-image.ts'
import { imageIds, paging, registryId, seedShared, sharedSamples, statement, tags } from './shared-samples.ts'

const ROLE = `arn:aws:iam::${ACCOUNT}:role/scanner`

const OTHER_ECR = `${OTHER_ACCOUNT}.dkr.ecr.${REGION}.amazonaws.com`

const own = {
  resourceArn: `arn:aws:ecr:${REGION}:${ACCOUNT}:repository/team/app`,
  policyText: statement({ Action: 'ecr:BatchGetImage' }),
}
const filter = { tagStatus: 'TAGGED', imageStatus: 'ACTIVE' }
const mutability = {
  imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
  imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'v*' }],
}
const lifecyclePolicyText = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 5 },
      action: { type: 'expire' },
    },
  ],
})
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
const replicationConfiguration = {
  rules: [
    {
      destinations: [{ region: 'eu-central-2', registryId: ACCOUNT }],
      repositoryFilters: [{ filter: 'none/', filterType: 'PREFIX_MATCH' }],
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
  repositoryPolicy: own.policyText,
  resourceTags: tags,
}

const scanRules = [{ scanFrequency: 'SCAN_ON_PUSH', repositoryFilters: [{ filter: 'app*', filterType: 'WILDCARD' }] }]

/** The samples of ECR's operations, as far as they are handled. */
export function ecrSamples(seed: Seed): Samples {
  const upstreamIdentity = { credentialArn: seed.secretArn ?? '', customRoleArn: ROLE }
  return {
    ...sharedSamples(seed, own),
    BatchGetRepositoryScanningConfiguration: sample({ repositoryNames: ['app'] }, {}),
    BatchGetImage: sample({ ...inApp, imageIds }, { ...registryId, acceptedMediaTypes: [IMAGE_TYPE] }),
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
    DeleteRepositoryCreationTemplate: sample({ prefix: 'team/' }, {}),
    DeleteSigningConfiguration: { ...sample({}, {}), before: [['PutSigningConfiguration', { signingConfiguration }]] },
    DeregisterPullTimeUpdateExclusion: sample({ principalArn: ROLE }, {}),
    DescribeImageReplicationStatus: sample({ ...inApp, imageId: { imageTag: 'v1', imageDigest: DIGEST } }, registryId),
    DescribeImageSigningStatus: sample({ ...inApp, imageId: { imageTag: 'v1', imageDigest: DIGEST } }, registryId),
    DescribeImageScanFindings: {
      ...sample({ ...inApp, imageId: { imageTag: 'v1', imageDigest: DIGEST } }, { ...registryId, ...paging }),
      refusal: 'ScanNotFoundException',
    },
    DescribeImages: sample(inApp, { ...registryId, filter, imageIds, ...paging }),
    // Of all upstreams, only another ECR takes a role.
    CreatePullThroughCacheRule: sample(
      { ecrRepositoryPrefix: 'far', upstreamRegistryUrl: OTHER_ECR },
      { ...registryId, upstreamRegistry: 'ecr', upstreamRepositoryPrefix: 'library', ...upstreamIdentity },
    ),
    DeletePullThroughCacheRule: sample({ ecrRepositoryPrefix: 'quay' }, registryId),
    DescribePullThroughCacheRules: sample({}, { ...registryId, ecrRepositoryPrefixes: ['quay'], ...paging }),
    UpdatePullThroughCacheRule: sample({ ecrRepositoryPrefix: 'near' }, { ...registryId, ...upstreamIdentity }),
    ValidatePullThroughCacheRule: sample({ ecrRepositoryPrefix: 'quay' }, registryId),
    DescribeRegistry: sample({}, {}),
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
    GetRegistryScanningConfiguration: sample({}, {}),
    GetSigningConfiguration: { ...sample({}, {}), before: [['PutSigningConfiguration', { signingConfiguration }]] },
    ListImageReferrers: sample(
      { ...inApp, subjectId: { imageDigest: DIGEST } },
      { ...registryId, filter: { artifactTypes: ['application/sbom'], artifactStatus: 'ACTIVE' }, ...paging },
    ),
    ListImages: sample(inApp, { ...registryId, filter, ...paging }),
    ListPullTimeUpdateExclusions: sample({}, paging),
    PutAccountSetting: sample({ name: 'BLOB_MOUNTING', value: 'ENABLED' }, {}),
    PutImageScanningConfiguration: sample({ ...inApp, imageScanningConfiguration: { scanOnPush: true } }, registryId),
    PutImageTagMutability: sample({ ...inApp, imageTagMutability: 'IMMUTABLE' }, { ...registryId, ...mutability }),
    PutLifecyclePolicy: sample({ ...inApp, lifecyclePolicyText }, registryId),
    PutRegistryPolicy: sample({ policyText: registryPolicyText }, {}),
    PutRegistryScanningConfiguration: sample({}, { scanType: 'BASIC', rules: scanRules }),
    PutReplicationConfiguration: sample({ replicationConfiguration }, {}),
    PutSigningConfiguration: sample({ signingConfiguration }, {}),
    RegisterPullTimeUpdateExclusion: sample({ principalArn: `${ROLE}-2` }, {}),
    StartImageScan: sample({ ...inApp, imageId: { imageTag: 'v1', imageDigest: DIGEST } }, registryId),
    StartLifecyclePolicyPreview: sample(inApp, { ...registryId, lifecyclePolicyText }),
    UpdateImageStorageClass: sample(
      { ...inApp, imageId: { imageTag: 'v1', imageDigest: DIGEST }, targetStorageClass: 'ARCHIVE' },
      registryId,
    ),
    UpdateRepositoryCreationTemplate: sample({ prefix: 'team/' }, templateSettings),
  }
}

/** Makes what the samples speak of, by the API alone. */
export async function seedEcr(call: SeedCall): Promise<Seed> {
  const uploadId = await seedShared(call, own)
  await call('PutRegistryPolicy', { policyText: registryPolicyText })
  await call('PutLifecyclePolicy', { ...inApp, lifecyclePolicyText })
  await call('CreateRepositoryCreationTemplate', { prefix: 'team/', appliedFor: ['CREATE_ON_PUSH'] })
  await call('RegisterPullTimeUpdateExclusion', { principalArn: ROLE })
  await call('CreatePullThroughCacheRule', { ecrRepositoryPrefix: 'quay', upstreamRegistryUrl: 'quay.io' })
  await call('CreatePullThroughCacheRule', { ecrRepositoryPrefix: 'near', upstreamRegistryUrl: OTHER_ECR })
  const secret = { Name: 'ecr-pullthroughcache/far', SecretString: '{"username":"AWS","accessToken":"token"}' }
  const { body } = await call('CreateSecret', { ...secret, ClientRequestToken: 'a'.repeat(32) }, 'secretsmanager')
  // Registries of ECR have no aliases.
  return { uploadId, alias: ACCOUNT, secretArn: String(body.ARN) }
}
