import type { EcrOperation } from './operation.ts'
import { placeOf, repositoryRef } from './references.ts'

export const putLifecyclePolicy: EcrOperation<'PutLifecyclePolicy'> = async (input, call) => {
  const { lifecyclePolicyText } = input
  const ref = repositoryRef(input, call)
  await call.lifecycle.putPolicy(call.principal, ref, lifecyclePolicyText)
  return { ...placeOf(ref), lifecyclePolicyText }
}
