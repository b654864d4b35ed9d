import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

export const describeRegistry: EcrOperation<'DescribeRegistry'> = async (_input, call) => {
  const registry = registryOf(undefined, call)
  const { replicationRules } = await call.registries.describe(call.principal, registry)
  return { registryId: registry.registryId, replicationConfiguration: { rules: [...replicationRules] } }
}
