import type { KmsOperation } from './operation.ts'

export const listKeyPolicies: KmsOperation<'ListKeyPolicies'> = async ({ KeyId }, call) => ({
  PolicyNames: [...(await call.keyPolicies.list(call, KeyId))],
  Truncated: false,
})
