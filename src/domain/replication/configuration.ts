import { partitionOf } from '../arn.ts'
import { invalidParameter } from '../errors.ts'
import { isRegion, type Registry, type RepositoryName, sameRegistry } from '../names.ts'

/** To where the images of which repositories are copied. */
export interface ReplicationRule {
  readonly destinations: readonly Registry[]
  /** Prefixes of names, of which one must be the repository's; absent: every repository. */
  readonly repositoryPrefixes?: readonly string[] | undefined
}

/** To where what is pushed to a registry is copied. */
export interface ReplicationConfiguration {
  readonly rules: readonly ReplicationRule[]
}

export const NO_REPLICATION: ReplicationConfiguration = { rules: [] }

const MEMBER = 'replicationConfiguration'
const RULES_MAX = 10
const DESTINATIONS_MAX = 25
const PREFIXES_MAX = 100

/** Throws `invalid-parameter` unless the registry can have this configuration. */
export function checkConfiguration(registry: Registry, { rules }: ReplicationConfiguration): void {
  if (rules.length > RULES_MAX) throw tooMany('rules', RULES_MAX)
  for (const { destinations, repositoryPrefixes } of rules) {
    if ((repositoryPrefixes?.length ?? 0) > PREFIXES_MAX) throw tooMany('repositoryFilters', PREFIXES_MAX)
    for (const destination of destinations) checkDestination(registry, destination)
  }
  const all = new Set(rules.flatMap(({ destinations }) => destinations.map(keyOf)))
  if (all.size > DESTINATIONS_MAX) throw tooMany('unique destinations', DESTINATIONS_MAX)
}

/** To where the images of a repository are copied, each registry once, in the order of the rules. */
export function destinationsOf({ rules }: ReplicationConfiguration, name: RepositoryName): readonly Registry[] {
  const matching = rules.filter(
    ({ repositoryPrefixes }) =>
      repositoryPrefixes === undefined || repositoryPrefixes.some((prefix) => name.startsWith(prefix)),
  )
  const found = new Map<string, Registry>()
  for (const { destinations } of matching)
    for (const destination of destinations) found.set(keyOf(destination), destination)
  return [...found.values()]
}

function checkDestination(source: Registry, destination: Registry): void {
  if (sameRegistry(source, destination))
    throw invalidParameter(MEMBER, 'Replication destination cannot be the same as the source registry')
  if (!isRegion(destination.region)) throw invalidParameter(MEMBER, `Invalid region: ${destination.region}`)
  if (partitionOf(destination.region) !== partitionOf(source.region))
    throw invalidParameter(MEMBER, 'Replication destination must be in the partition of the source registry')
}

function tooMany(things: string, limit: number) {
  return invalidParameter(MEMBER, `Number of ${things} must be less than or equal to ${limit}`)
}

function keyOf({ registryId, region }: Registry): string {
  return `${registryId}/${region}`
}
