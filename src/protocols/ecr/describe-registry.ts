import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { replicationConfigurationOutput } from './replication-output.ts'

export const describeRegistry: EcrOperation<'DescribeRegistry'> = async (_input, call) => {
  const registry = registryOf(undefined, call)
  const configuration = await call.replication.describeRegistry(call.principal, registry)
  return {
    registryId: registry.registryId,
    replicationConfiguration: replicationConfigurationOutput(configuration),
  }
}
