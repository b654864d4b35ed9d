import type { ReplicationConfiguration } from '../../domain/replication/configuration.ts'
import type { EcrOutput } from './operation.ts'

/** A replication configuration as it goes over the wire. */
export function replicationConfigurationOutput({
  rules,
}: ReplicationConfiguration): NonNullable<EcrOutput<'PutReplicationConfiguration'>['replicationConfiguration']> {
  return {
    rules: rules.map(({ destinations, repositoryPrefixes }) => ({
      destinations: destinations.map(({ region, registryId }) => ({ region, registryId })),
      ...(repositoryPrefixes !== undefined && {
        repositoryFilters: repositoryPrefixes.map((filter) => ({ filter, filterType: 'PREFIX_MATCH' as const })),
      }),
    })),
  }
}
