import type { Digest } from '../../../src/domain/digest.ts'

/** What an operation needs: actions, each on one resource; in the order in which they are asked for. */
export type Permission = readonly [action: string, resource: string]

/** Given what the repository `app` holds: an input that the operation accepts, and what it needs. */
export type OperationCase = (held: Held) => {
  readonly permissions: readonly Permission[]
  readonly input: object
}

interface Held {
  readonly digest: Digest
  readonly layer: Digest
}

const APP = 'arn:aws:ecr:eu-west-3:123456789012:repository/app'
const PUBLIC_APP = 'arn:aws:ecr-public::123456789012:repository/app'
const PUBLIC_REGISTRY = 'arn:aws:ecr-public::123456789012:registry/123456789012'
const repository = { repositoryName: 'app' }
const UPLOAD = { uploadId: '6f5d6c5c-54a9-4f3e-9d2a-000000000001' }
const LIFECYCLE = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 100 },
      action: { type: 'expire' },
    },
  ],
})
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: '111122223333' }, Action: 'ecr:BatchGetImage' }],
})
const REGISTRY_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { AWS: '111122223333' },
      Action: 'ecr:ReplicateImage',
      Resource: 'arn:aws:ecr:eu-west-3:123456789012:repository/*',
    },
  ],
})
const manifest = ({ digest }: Held) => ({ imageIds: [{ imageDigest: digest }] })

/** An operation on the repository `app` that needs the action of its own name, or of another. */
const onApp =
  (action: string, input: object | ((held: Held) => object) = {}, arn = APP): OperationCase =>
  (held) => ({
    permissions: [[action, arn]],
    input: { ...repository, ...(typeof input === 'function' ? input(held) : input) },
  })

const onRegistry =
  (action: string, input: object = {}, resource = '*', more: readonly Permission[] = []): OperationCase =>
  () => ({ permissions: [[action, resource], ...more], input })

const TEMPLATE_EFFECTS: readonly Permission[] = [
  ['ecr:CreateRepository', 'arn:aws:ecr:eu-west-3:123456789012:repository/team/*'],
  ['ecr:SetRepositoryPolicy', 'arn:aws:ecr:eu-west-3:123456789012:repository/team/*'],
  ['ecr:PutLifecyclePolicy', 'arn:aws:ecr:eu-west-3:123456789012:repository/team/*'],
  ['ecr:TagResource', 'arn:aws:ecr:eu-west-3:123456789012:repository/team/*'],
  ['iam:PassRole', 'arn:aws:iam::123456789012:role/templates'],
]
const TEMPLATE = {
  prefix: 'team',
  appliedFor: ['CREATE_ON_PUSH'],
  repositoryPolicy: POLICY,
  lifecyclePolicy: LIFECYCLE,
  resourceTags: [{ Key: 'team', Value: 'red' }],
  customRoleArn: 'arn:aws:iam::123456789012:role/templates',
}
const EXCLUSION = { principalArn: 'arn:aws:iam::123456789012:role/scanner' }

export const PRIVATE_CASES: Readonly<Record<string, OperationCase>> = {
  BatchCheckLayerAvailability: onApp('ecr:BatchCheckLayerAvailability', ({ layer }) => ({ layerDigests: [layer] })),
  BatchDeleteImage: onApp('ecr:BatchDeleteImage', { imageIds: [{ imageTag: 'gone' }] }),
  BatchGetRepositoryScanningConfiguration: () => ({
    permissions: [['ecr:BatchGetRepositoryScanningConfiguration', APP]],
    input: { repositoryNames: ['app'] },
  }),
  BatchGetImage: onApp('ecr:BatchGetImage', manifest),
  CompleteLayerUpload: onApp('ecr:CompleteLayerUpload', ({ layer }) => ({ ...UPLOAD, layerDigests: [layer] })),
  CreateRepository: () => ({
    permissions: [
      ['ecr:CreateRepository', 'arn:aws:ecr:eu-west-3:123456789012:repository/new'],
      ['ecr:TagResource', 'arn:aws:ecr:eu-west-3:123456789012:repository/new'],
    ],
    input: { repositoryName: 'new', tags: [{ Key: 'team', Value: 'red' }] },
  }),
  CreatePullThroughCacheRule: onRegistry('ecr:CreatePullThroughCacheRule', {
    ecrRepositoryPrefix: 'quay',
    upstreamRegistryUrl: 'quay.io',
  }),
  CreateRepositoryCreationTemplate: onRegistry('ecr:CreateRepositoryCreationTemplate', TEMPLATE, '*', TEMPLATE_EFFECTS),
  DeleteLifecyclePolicy: onApp('ecr:DeleteLifecyclePolicy'),
  DeletePullThroughCacheRule: onRegistry('ecr:DeletePullThroughCacheRule', { ecrRepositoryPrefix: 'none' }),
  DeleteRegistryPolicy: onRegistry('ecr:DeleteRegistryPolicy'),
  DeleteRepository: () => ({
    permissions: [['ecr:DeleteRepository', 'arn:aws:ecr:eu-west-3:123456789012:repository/none']],
    input: { repositoryName: 'none' },
  }),
  DeleteRepositoryCreationTemplate: onRegistry('ecr:DeleteRepositoryCreationTemplate', { prefix: 'none' }),
  DeleteRepositoryPolicy: onApp('ecr:DeleteRepositoryPolicy'),
  DeleteSigningConfiguration: onRegistry('ecr:DeleteSigningConfiguration'),
  DeregisterPullTimeUpdateExclusion: onRegistry('ecr:DeregisterPullTimeUpdateExclusion', EXCLUSION),
  DescribeImageScanFindings: onApp('ecr:DescribeImageScanFindings', { imageId: { imageTag: 'v1' } }),
  DescribeImageReplicationStatus: onApp('ecr:DescribeImageReplicationStatus', { imageId: { imageTag: 'v1' } }),
  DescribeImageSigningStatus: onApp('ecr:DescribeImageSigningStatus', { imageId: { imageTag: 'v1' } }),
  DescribeImages: onApp('ecr:DescribeImages'),
  DescribeRegistry: onRegistry('ecr:DescribeRegistry'),
  DescribePullThroughCacheRules: onRegistry('ecr:DescribePullThroughCacheRules'),
  DescribeRepositories: onRegistry('ecr:DescribeRepositories', {}, 'arn:aws:ecr:eu-west-3:123456789012:repository/*'),
  DescribeRepositoryCreationTemplates: onRegistry('ecr:DescribeRepositoryCreationTemplates'),
  GetAccountSetting: onRegistry('ecr:GetAccountSetting', { name: 'BLOB_MOUNTING' }),
  GetAuthorizationToken: onRegistry('ecr:GetAuthorizationToken'),
  GetDownloadUrlForLayer: onApp('ecr:GetDownloadUrlForLayer', ({ layer }) => ({ layerDigest: layer })),
  GetLifecyclePolicy: onApp('ecr:GetLifecyclePolicy'),
  GetLifecyclePolicyPreview: onApp('ecr:GetLifecyclePolicyPreview'),
  GetRegistryPolicy: onRegistry('ecr:GetRegistryPolicy'),
  GetRepositoryPolicy: onApp('ecr:GetRepositoryPolicy'),
  GetRegistryScanningConfiguration: onRegistry('ecr:GetRegistryScanningConfiguration'),
  GetSigningConfiguration: onRegistry('ecr:GetSigningConfiguration'),
  InitiateLayerUpload: onApp('ecr:InitiateLayerUpload'),
  ListImageReferrers: onApp('ecr:BatchGetImage', ({ digest }) => ({ subjectId: { imageDigest: digest } })),
  ListImages: onApp('ecr:ListImages'),
  ListPullTimeUpdateExclusions: onRegistry('ecr:ListPullTimeUpdateExclusions'),
  ListTagsForResource: onApp('ecr:ListTagsForResource', { resourceArn: APP }),
  PutAccountSetting: onRegistry('ecr:PutAccountSetting', { name: 'BLOB_MOUNTING', value: 'ENABLED' }),
  PutImage: onApp('ecr:PutImage', { imageManifest: '{}', imageTag: 'v2' }),
  PutImageScanningConfiguration: onApp('ecr:PutImageScanningConfiguration', {
    imageScanningConfiguration: { scanOnPush: true },
  }),
  PutImageTagMutability: onApp('ecr:PutImageTagMutability', { imageTagMutability: 'MUTABLE' }),
  PutLifecyclePolicy: onApp('ecr:PutLifecyclePolicy', { lifecyclePolicyText: LIFECYCLE }),
  PutRegistryPolicy: onRegistry('ecr:PutRegistryPolicy', { policyText: REGISTRY_POLICY }),
  PutRegistryScanningConfiguration: onRegistry('ecr:PutRegistryScanningConfiguration'),
  PutReplicationConfiguration: onRegistry('ecr:PutReplicationConfiguration', {
    replicationConfiguration: { rules: [] },
  }),
  PutSigningConfiguration: onRegistry('ecr:PutSigningConfiguration', { signingConfiguration: { rules: [] } }),
  UpdatePullThroughCacheRule: onRegistry('ecr:UpdatePullThroughCacheRule', { ecrRepositoryPrefix: 'none' }),
  ValidatePullThroughCacheRule: onRegistry('ecr:ValidatePullThroughCacheRule', { ecrRepositoryPrefix: 'none' }),
  RegisterPullTimeUpdateExclusion: onRegistry('ecr:RegisterPullTimeUpdateExclusion', EXCLUSION),
  SetRepositoryPolicy: onApp('ecr:SetRepositoryPolicy', { policyText: POLICY }),
  StartImageScan: onApp('ecr:StartImageScan', { imageId: { imageTag: 'v1' } }),
  StartLifecyclePolicyPreview: onApp('ecr:StartLifecyclePolicyPreview', { lifecyclePolicyText: LIFECYCLE }),
  TagResource: onApp('ecr:TagResource', { resourceArn: APP, tags: [{ Key: 'team', Value: 'red' }] }),
  UntagResource: onApp('ecr:UntagResource', { resourceArn: APP, tagKeys: ['team'] }),
  UpdateImageStorageClass: onApp('ecr:UpdateImageStorageClass', {
    imageId: { imageTag: 'gone' },
    targetStorageClass: 'ARCHIVE',
  }),
  UpdateRepositoryCreationTemplate: onRegistry('ecr:UpdateRepositoryCreationTemplate', TEMPLATE, '*', TEMPLATE_EFFECTS),
  UploadLayerPart: onApp('ecr:UploadLayerPart', {
    ...UPLOAD,
    partFirstByte: 0,
    partLastByte: 2,
    layerPartBlob: new Uint8Array(3),
  }),
}

const onPublicApp = (action: string, input: object | ((held: Held) => object) = {}) =>
  onApp(`ecr-public:${action}`, input, PUBLIC_APP)
const onPublicRegistry = (action: string, input: object = {}) =>
  onRegistry(`ecr-public:${action}`, input, PUBLIC_REGISTRY)

export const PUBLIC_CASES: Readonly<Record<string, OperationCase>> = {
  BatchCheckLayerAvailability: onPublicApp('BatchCheckLayerAvailability', ({ layer }) => ({ layerDigests: [layer] })),
  BatchDeleteImage: onPublicApp('BatchDeleteImage', { imageIds: [{ imageTag: 'gone' }] }),
  CompleteLayerUpload: onPublicApp('CompleteLayerUpload', ({ layer }) => ({ ...UPLOAD, layerDigests: [layer] })),
  CreateRepository: () => ({
    permissions: [
      ['ecr-public:CreateRepository', 'arn:aws:ecr-public::123456789012:repository/new'],
      ['ecr-public:TagResource', 'arn:aws:ecr-public::123456789012:repository/new'],
    ],
    input: { repositoryName: 'new', tags: [{ Key: 'team', Value: 'red' }] },
  }),
  DeleteRepository: () => ({
    permissions: [['ecr-public:DeleteRepository', 'arn:aws:ecr-public::123456789012:repository/none']],
    input: { repositoryName: 'none' },
  }),
  DeleteRepositoryPolicy: onPublicApp('DeleteRepositoryPolicy'),
  DescribeImageTags: onPublicApp('DescribeImageTags'),
  DescribeImages: onPublicApp('DescribeImages'),
  DescribeRegistries: onPublicRegistry('DescribeRegistries'),
  DescribeRepositories: onRegistry(
    'ecr-public:DescribeRepositories',
    {},
    'arn:aws:ecr-public::123456789012:repository/*',
  ),
  GetAuthorizationToken: onRegistry('ecr-public:GetAuthorizationToken', {}, '*', [['sts:GetServiceBearerToken', '*']]),
  GetRegistryCatalogData: onPublicRegistry('GetRegistryCatalogData'),
  GetRepositoryCatalogData: onPublicApp('GetRepositoryCatalogData'),
  GetRepositoryPolicy: onPublicApp('GetRepositoryPolicy'),
  InitiateLayerUpload: onPublicApp('InitiateLayerUpload'),
  ListTagsForResource: onPublicApp('ListTagsForResource', { resourceArn: PUBLIC_APP }),
  PutImage: onPublicApp('PutImage', { imageManifest: '{}', imageTag: 'v2' }),
  PutRegistryCatalogData: onPublicRegistry('PutRegistryCatalogData'),
  PutRepositoryCatalogData: onPublicApp('PutRepositoryCatalogData', { catalogData: {} }),
  SetRepositoryPolicy: onPublicApp('SetRepositoryPolicy', {
    policyText: POLICY.replace('ecr:BatchGetImage', 'ecr-public:PutImage'),
  }),
  TagResource: onPublicApp('TagResource', { resourceArn: PUBLIC_APP, tags: [{ Key: 'team', Value: 'red' }] }),
  UntagResource: onPublicApp('UntagResource', { resourceArn: PUBLIC_APP, tagKeys: ['team'] }),
  UploadLayerPart: onPublicApp('UploadLayerPart', {
    ...UPLOAD,
    partFirstByte: 0,
    partLastByte: 2,
    layerPartBlob: new Uint8Array(3),
  }),
}
