import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

export const deleteRegistryPolicy: EcrOperation<'DeleteRegistryPolicy'> = async (_input, call) => {
  const registry = registryOf(undefined, call)
  return {
    registryId: registry.registryId,
    policyText: await call.policies.deleteOfRegistry(call.principal, registry),
  }
}
