import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

export const putRegistryPolicy: EcrOperation<'PutRegistryPolicy'> = async ({ policyText }, call) => {
  const registry = registryOf(undefined, call)
  await call.policies.putOfRegistry(call.principal, registry, policyText)
  return { registryId: registry.registryId, policyText }
}
