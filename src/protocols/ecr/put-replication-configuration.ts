import { parseRegistryId, type Region } from '../../domain/names.ts'
import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { replicationConfigurationOutput } from './replication-output.ts'

export const putReplicationConfiguration: EcrOperation<'PutReplicationConfiguration'> = async (input, call) => {
  const configuration = {
    rules: input.replicationConfiguration.rules.map(({ destinations, repositoryFilters }) => ({
      destinations: destinations.map(({ registryId, region }) => ({
        registryId: parseRegistryId(registryId),
        // Judged with the rest of the configuration.
        region: region as Region,
      })),
      repositoryPrefixes: repositoryFilters?.map(({ filter }) => filter),
    })),
  }
  await call.replication.putConfiguration(call.principal, registryOf(undefined, call), configuration)
  return { replicationConfiguration: replicationConfigurationOutput(configuration) }
}
