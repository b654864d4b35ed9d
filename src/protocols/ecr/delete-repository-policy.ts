import type { EcrOperation } from './operation.ts'
import { placeOf, repositoryRef } from './references.ts'

export const deleteRepositoryPolicy: EcrOperation<'DeleteRepositoryPolicy'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  return { ...placeOf(ref), policyText: await call.policies.deleteOfRepository(call.principal, ref) }
}
