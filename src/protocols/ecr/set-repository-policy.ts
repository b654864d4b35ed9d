import type { EcrOperation } from './operation.ts'
import { placeOf, repositoryRef } from './references.ts'

export const setRepositoryPolicy: EcrOperation<'SetRepositoryPolicy'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const { policyText, force = false } = input
  await call.policies.setOfRepository(call.principal, ref, policyText, force)
  return { ...placeOf(ref), policyText }
}
