import { lifecyclePolicyOutput } from './lifecycle-output.ts'
import type { EcrOperation } from './operation.ts'
import { repositoryRef } from './references.ts'

export const deleteLifecyclePolicy: EcrOperation<'DeleteLifecyclePolicy'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  return lifecyclePolicyOutput(ref, await call.lifecycle.deletePolicy(call.principal, ref))
}
