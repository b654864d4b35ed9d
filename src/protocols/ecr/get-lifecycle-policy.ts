import { lifecyclePolicyOutput } from './lifecycle-output.ts'
import type { EcrOperation } from './operation.ts'
import { repositoryRef } from './references.ts'

export const getLifecyclePolicy: EcrOperation<'GetLifecyclePolicy'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  return lifecyclePolicyOutput(ref, await call.lifecycle.getPolicy(call.principal, ref))
}
