import type { Registry } from '../names.ts'

/** What is counted minute by minute and kept: pulls of a repository, calls of an operation. */
export type CountedMetric = 'RepositoryPullCount' | 'CallCount'

/** One line of counts over time. */
export interface Series {
  readonly registry: Registry
  readonly metric: CountedMetric
  /** The repository's name, or the operation's. */
  readonly subject: string
}

/** A dimension as CloudWatch shows it. */
export interface Dimension {
  readonly name: string
  readonly value: string
}

export const NAMESPACES = { RepositoryPullCount: 'AWS/ECR', CallCount: 'AWS/Usage' } as const satisfies Record<
  CountedMetric,
  string
>

/** The operations whose calls ECR counts: those that have a rate quota. */
export const COUNTED_OPERATIONS: ReadonlySet<string> = new Set([
  'BatchCheckLayerAvailability',
  'BatchGetImage',
  'CompleteLayerUpload',
  'GetAuthorizationToken',
  'GetDownloadUrlForLayer',
  'InitiateLayerUpload',
  'PutImage',
  'UploadLayerPart',
])

/** Under which dimensions a series is found. */
export function dimensionsOf({ metric, subject }: Pick<Series, 'metric' | 'subject'>): readonly Dimension[] {
  if (metric === 'RepositoryPullCount') return [{ name: 'RepositoryName', value: subject }]
  return [
    { name: 'Class', value: 'None' },
    { name: 'Resource', value: subject },
    { name: 'Service', value: 'ECR' },
    { name: 'Type', value: 'API' },
  ]
}

/** The metric of that name in that namespace, as far as it is counted here. */
export function countedMetric(namespace: string, name: string): CountedMetric | undefined {
  if (name !== 'RepositoryPullCount' && name !== 'CallCount') return undefined
  return NAMESPACES[name] === namespace ? name : undefined
}

/** The subject that dimensions name exactly; `undefined`: there is no such series. */
export function subjectOf(metric: CountedMetric, dimensions: readonly Dimension[]): string | undefined {
  const named = metric === 'RepositoryPullCount' ? 'RepositoryName' : 'Resource'
  const subject = dimensions.find(({ name }) => name === named)?.value
  if (subject === undefined) return undefined
  const own = dimensionsOf({ metric, subject })
  const isExact =
    own.length === dimensions.length &&
    own.every(({ name, value }) => dimensions.some((given) => given.name === name && given.value === value))
  return isExact ? subject : undefined
}
