import type { PolicyVersion } from './entity.ts'

/** A managed policy that every account has and nobody can change. */
export interface AwsManagedPolicy {
  readonly name: string
  readonly path: string
  readonly uniqueId: string
  readonly description: string
  readonly isAttachable: boolean
  readonly version: PolicyVersion
}

const ecr = (...names: string[]) => names.map((name) => `ecr:${name}`)
const ecrPublic = (...names: string[]) => names.map((name) => `ecr-public:${name}`)

const READ = [
  'GetAuthorizationToken',
  'BatchCheckLayerAvailability',
  'GetDownloadUrlForLayer',
  'GetRepositoryPolicy',
  'DescribeRepositories',
  'ListImages',
  'DescribeImages',
  'BatchGetImage',
  'GetLifecyclePolicy',
  'GetLifecyclePolicyPreview',
  'ListTagsForResource',
  'DescribeImageScanFindings',
]
const PUSH = ['InitiateLayerUpload', 'UploadLayerPart', 'CompleteLayerUpload', 'PutImage']
const PUBLIC_READ = [
  'GetAuthorizationToken',
  'BatchCheckLayerAvailability',
  'GetRepositoryPolicy',
  'DescribeRepositories',
  'DescribeRegistries',
  'DescribeImages',
  'DescribeImageTags',
  'GetRepositoryCatalogData',
  'GetRegistryCatalogData',
]
const BEARER = 'sts:GetServiceBearerToken'
// biome-ignore lint/suspicious/noTemplateCurlyInString: a policy variable
const SAME_ACCOUNT = { StringEquals: { 'aws:ResourceAccount': '${aws:PrincipalAccount}' } }

const allow = (actions: string | readonly string[], resource: string | string[] = '*', condition?: object) => ({
  Effect: 'Allow',
  Action: actions,
  Resource: resource,
  ...(condition === undefined ? {} : { Condition: condition }),
})

/** What AWS publishes: name, version, whose it is, and its statements. */
const PUBLISHED: readonly {
  readonly name: string
  readonly version: number
  readonly at: string
  readonly path?: string
  readonly description: string
  readonly statements: readonly object[]
}[] = [
  {
    name: 'AdministratorAccess',
    version: 1,
    at: '2015-02-06T18:39:46Z',
    description: 'Provides full access to AWS services and resources.',
    statements: [allow('*')],
  },
  {
    name: 'AmazonEC2ContainerRegistryFullAccess',
    version: 3,
    at: '2015-12-21T17:06:48Z',
    description: 'Provides administrative access to Amazon ECR resources',
    statements: [
      allow(['ecr:*', 'cloudtrail:LookupEvents']),
      allow(['iam:CreateServiceLinkedRole'], '*', {
        StringEquals: { 'iam:AWSServiceName': ['replication.ecr.amazonaws.com'] },
      }),
    ],
  },
  {
    name: 'AmazonEC2ContainerRegistryPowerUser',
    version: 3,
    at: '2015-12-21T17:05:33Z',
    description:
      'Provides full access to Amazon EC2 Container Registry repositories, but does not allow repository deletion or policy changes.',
    statements: [allow(ecr(...READ, ...PUSH))],
  },
  {
    name: 'AmazonEC2ContainerRegistryPullOnly',
    version: 1,
    at: '2024-10-10T23:12:26Z',
    description: 'Provides access to pull images from Amazon ECR repositories.',
    statements: [
      allow(ecr('GetAuthorizationToken', 'BatchGetImage', 'GetDownloadUrlForLayer', 'BatchImportUpstreamImage')),
    ],
  },
  {
    name: 'AmazonEC2ContainerRegistryReadOnly',
    version: 3,
    at: '2015-12-21T17:04:15Z',
    description: 'Provides read-only access to Amazon EC2 Container Registry repositories.',
    statements: [allow(ecr(...READ))],
  },
  {
    name: 'AmazonElasticContainerRegistryPublicFullAccess',
    version: 1,
    at: '2020-12-01T17:25:46Z',
    description: 'Provides administrative access to Amazon ECR Public resources',
    statements: [allow(['ecr-public:*', BEARER])],
  },
  {
    name: 'AmazonElasticContainerRegistryPublicPowerUser',
    version: 1,
    at: '2020-12-01T16:16:15Z',
    description:
      'Provides full access to Amazon ECR Public repositories, but does not allow repository deletion or policy changes.',
    statements: [allow([...ecrPublic(...PUBLIC_READ, ...PUSH), BEARER])],
  },
  {
    name: 'AmazonElasticContainerRegistryPublicReadOnly',
    version: 1,
    at: '2020-12-01T17:27:25Z',
    description: 'Provides read-only access to Amazon ECR Public repositories.',
    statements: [allow([...ecrPublic(...PUBLIC_READ), BEARER])],
  },
  {
    name: 'AWSAppRunnerServicePolicyForECRAccess',
    version: 1,
    at: '2021-05-14T19:17:55Z',
    path: '/service-role/',
    description: 'AWS App Runner service policy for ECR access',
    statements: [
      allow(
        ecr(
          'GetDownloadUrlForLayer',
          'BatchGetImage',
          'DescribeImages',
          'GetAuthorizationToken',
          'BatchCheckLayerAvailability',
        ),
      ),
    ],
  },
  {
    name: 'AWSECRPullThroughCache_ServiceRolePolicy',
    version: 4,
    at: '2021-11-26T21:50:34Z',
    path: '/aws-service-role/',
    description: 'Lets Amazon ECR bring images of other registries into the private registry',
    statements: [
      allow(
        ecr(
          'GetAuthorizationToken',
          'BatchCheckLayerAvailability',
          ...PUSH,
          'BatchGetImage',
          'BatchImportUpstreamImage',
          'GetDownloadUrlForLayer',
          'GetImageCopyStatus',
        ),
        '*',
        SAME_ACCOUNT,
      ),
      allow(
        ['secretsmanager:GetSecretValue'],
        'arn:aws:secretsmanager:*:*:secret:ecr-pullthroughcache/*',
        SAME_ACCOUNT,
      ),
    ],
  },
  {
    name: 'ECRReplicationServiceRolePolicy',
    version: 1,
    at: '2020-12-04T22:11:09Z',
    path: '/aws-service-role/',
    description: 'Lets Amazon ECR replicate images across regions and accounts',
    statements: [allow(ecr('CreateRepository', 'ReplicateImage'))],
  },
  {
    name: 'ECRTemplateServiceRolePolicy',
    version: 1,
    at: '2024-06-20T14:35:15Z',
    path: '/aws-service-role/',
    description: 'Lets Amazon ECR make repositories from creation templates',
    statements: [allow(ecr('CreateRepository'))],
  },
]

/** By path and name, as ARNs end. */
const BY_NAME: ReadonlyMap<string, AwsManagedPolicy> = new Map(
  PUBLISHED.map(({ name, version, at, path = '/', description, statements }, index) => {
    const text = JSON.stringify({ Version: '2012-10-17', Statement: statements }, undefined, 4)
    const uniqueId = `ANPAECRU${String(index).padStart(13, 'A')}`
    const policy: AwsManagedPolicy = {
      ...{ name, path, uniqueId, description },
      // Those of service-linked roles are theirs alone.
      isAttachable: path !== '/aws-service-role/',
      version: { number: version, text, createdAt: new Date(at) },
    }
    return [path + name, policy]
  }),
)

/** All of them, in ascending order of name. */
export const AWS_MANAGED_POLICIES: readonly AwsManagedPolicy[] = [...BY_NAME.values()].toSorted((a, b) =>
  a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1,
)

/** `undefined`: AWS manages no policy of that name that a registry has to do with. */
export function findAwsManagedPolicy(path: string, name: string): AwsManagedPolicy | undefined {
  return BY_NAME.get(path + name)
}
