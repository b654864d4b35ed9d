import type { KmsOperation } from './operation.ts'

export const putKeyPolicy: KmsOperation<'PutKeyPolicy'> = async (input, call) => {
  await call.keyPolicies.put(call, input.KeyId, input.Policy, input.PolicyName, input.BypassPolicyLockoutSafetyCheck)
  return {}
}
