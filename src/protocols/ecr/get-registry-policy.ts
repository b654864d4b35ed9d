import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

export const getRegistryPolicy: EcrOperation<'GetRegistryPolicy'> = async (_input, call) => {
  const registry = registryOf(undefined, call)
  return {
    registryId: registry.registryId,
    policyText: await call.policies.getOfRegistry(call.principal, registry),
  }
}
