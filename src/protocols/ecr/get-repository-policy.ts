import type { EcrOperation } from './operation.ts'
import { placeOf, repositoryRef } from './references.ts'

export const getRepositoryPolicy: EcrOperation<'GetRepositoryPolicy'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  return { ...placeOf(ref), policyText: await call.policies.getOfRepository(call.principal, ref) }
}
