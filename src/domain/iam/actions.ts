/**
 * What a repository policy may speak of: the actions on one repository, which also are those that a listing of
 * repositories needs. The last part of the name, after `ecr:`.
 */
export const REPOSITORY_ACTIONS = [
  'BatchCheckLayerAvailability',
  'BatchDeleteImage',
  'BatchGetImage',
  'BatchGetRepositoryScanningConfiguration',
  'BatchImportUpstreamImage',
  'CompleteLayerUpload',
  'CreateRepository',
  'DeleteLifecyclePolicy',
  'DeleteRepository',
  'DeleteRepositoryPolicy',
  'DescribeImageReplicationStatus',
  'DescribeImageScanFindings',
  'DescribeImageSigningStatus',
  'DescribeImages',
  'DescribeRepositories',
  'GetDownloadUrlForLayer',
  'GetImageCopyStatus',
  'GetLifecyclePolicy',
  'GetLifecyclePolicyPreview',
  'GetRepositoryPolicy',
  'InitiateLayerUpload',
  'ListImages',
  'ListTagsForResource',
  'PutImage',
  'PutImageScanningConfiguration',
  'PutImageTagMutability',
  'PutLifecyclePolicy',
  'ReplicateImage',
  'SetRepositoryPolicy',
  'StartImageScan',
  'StartLifecyclePolicyPreview',
  'TagResource',
  'UntagResource',
  'UpdateImageStorageClass',
  'UploadLayerPart',
] as const

/** The actions on a registry as a whole, for which no repository is named. */
export const REGISTRY_ACTIONS = [
  'CreatePullThroughCacheRule',
  'CreateRepositoryCreationTemplate',
  'DeletePullThroughCacheRule',
  'DeleteRegistryPolicy',
  'DeleteRepositoryCreationTemplate',
  'DeleteSigningConfiguration',
  'DeregisterPullTimeUpdateExclusion',
  'DescribePullThroughCacheRules',
  'DescribeRegistry',
  'DescribeRepositoryCreationTemplates',
  'GetAccountSetting',
  'GetAuthorizationToken',
  'GetRegistryPolicy',
  'GetRegistryScanningConfiguration',
  'GetSigningConfiguration',
  'ListPullTimeUpdateExclusions',
  'PutAccountSetting',
  'PutRegistryPolicy',
  'PutRegistryScanningConfiguration',
  'PutReplicationConfiguration',
  'PutSigningConfiguration',
  'RegisterPullTimeUpdateExclusion',
  'UpdatePullThroughCacheRule',
  'UpdateRepositoryCreationTemplate',
  'ValidatePullThroughCacheRule',
] as const

/** What the policy of a public repository may speak of; pulls are named too, though everybody may do them. */
export const PUBLIC_REPOSITORY_ACTIONS = [
  'BatchCheckLayerAvailability',
  'BatchDeleteImage',
  'BatchGetImage',
  'CompleteLayerUpload',
  'CreateRepository',
  'DeleteRepository',
  'DeleteRepositoryPolicy',
  'DescribeImageTags',
  'DescribeImages',
  'DescribeRepositories',
  'GetDownloadUrlForLayer',
  'GetRepositoryCatalogData',
  'GetRepositoryPolicy',
  'InitiateLayerUpload',
  'ListImages',
  'ListTagsForResource',
  'PutImage',
  'PutRepositoryCatalogData',
  'SetRepositoryPolicy',
  'TagResource',
  'UntagResource',
  'UploadLayerPart',
] as const

/** What everybody may do with a public repository, without saying who he is. */
const PUBLIC_PULL_ACTIONS = ['BatchGetImage', 'GetDownloadUrlForLayer', 'ListImages'] as const

/** What a registry policy of scope V1 may speak of. */
export const REGISTRY_POLICY_V1_ACTIONS = ['BatchImportUpstreamImage', 'CreateRepository', 'ReplicateImage'] as const

/** An action as policies compare it: `ecr:` and lower case, since IAM does not tell cases apart. */
export function actionKey(name: string): string {
  return `ecr:${name.toLowerCase()}`
}

/** The same for ECR Public. */
export function publicActionKey(name: string): string {
  return `ecr-public:${name.toLowerCase()}`
}

const asKeys = (names: readonly string[]): ReadonlySet<string> => new Set(names.map(actionKey))

/** The same lists as sets of keys. */
export const REPOSITORY_ACTION_KEYS = asKeys(REPOSITORY_ACTIONS)
export const ALL_ACTION_KEYS = asKeys([...REPOSITORY_ACTIONS, ...REGISTRY_ACTIONS])
export const REGISTRY_POLICY_V1_ACTION_KEYS = asKeys(REGISTRY_POLICY_V1_ACTIONS)
export const PUBLIC_REPOSITORY_ACTION_KEYS: ReadonlySet<string> = new Set(
  PUBLIC_REPOSITORY_ACTIONS.map(publicActionKey),
)
export const PUBLIC_PULL_ACTION_KEYS: ReadonlySet<string> = new Set(PUBLIC_PULL_ACTIONS.map(publicActionKey))
