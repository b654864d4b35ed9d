import { POLICY_NAME } from '../../services/kms/key-policies.ts'
import type { KmsOperation } from './operation.ts'

export const getKeyPolicy: KmsOperation<'GetKeyPolicy'> = async ({ KeyId, PolicyName = POLICY_NAME }, call) => ({
  Policy: await call.keyPolicies.get(call, KeyId, PolicyName),
  PolicyName,
})
