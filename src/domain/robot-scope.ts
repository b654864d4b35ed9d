import { partitionOf } from './arn.ts'
import type { Region, RegistryId } from './names.ts'

const PULL = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:BatchGetImage',
  'ecr:DescribeImages',
  'ecr:GetDownloadUrlForLayer',
  'ecr:ListImages',
]
const PUSH = [
  ...['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:CompleteLayerUpload', 'ecr:GetDownloadUrlForLayer'],
  ...['ecr:InitiateLayerUpload', 'ecr:PutImage', 'ecr:UploadLayerPart'],
]

/** Has what is missing brought from upstreams, which makes repositories. */
const CACHE = ['ecr:BatchImportUpstreamImage', 'ecr:CreateRepository']

export const ROBOT_ACTIONS = ['pull', 'push', 'cache'] as const
export type RobotAction = (typeof ROBOT_ACTIONS)[number]

/** What a robot's token is for. */
export interface RobotScope {
  readonly accountId: RegistryId
  readonly region: Region
  /** Names of repositories, with `*` and `?` as wildcards. */
  readonly repositories: readonly string[]
  readonly actions: readonly RobotAction[]
}

const ALLOWED: Readonly<Record<RobotAction, readonly string[]>> = { pull: PULL, push: PUSH, cache: CACHE }

/** Whether a text may stand for repositories in a scope. */
export function isRepositoryPattern(text: string): boolean {
  return /^[a-z0-9*?._/-]{1,256}$/.test(text)
}

/**
 * The session policy that says the same: a token does what its user may do and this allows. Everything else is denied in so
 * many words, since what the policy of a repository gives to the user by name no session is without just for not allowing it.
 */
export function robotPolicy({ accountId, region, repositories, actions }: RobotScope): string {
  const allowed = new Set(actions.flatMap((action) => ALLOWED[action]))
  const place = `arn:${partitionOf(region)}:ecr:${region}:${accountId}:repository/`
  const [Action, Resource] = [[...allowed].sort(), repositories.map((pattern) => place + pattern)]
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action, Resource },
      { Effect: 'Deny', NotAction: Action, Resource: '*' },
      { Effect: 'Deny', Action: '*', NotResource: Resource },
    ],
  })
}
