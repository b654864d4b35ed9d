import type { EcrOperation } from './operation.ts'
import { placeOf, repositoryRef } from './references.ts'

export const startLifecyclePolicyPreview: EcrOperation<'StartLifecyclePolicyPreview'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const { text, status } = await call.lifecycle.startPreview(call.principal, ref, input.lifecyclePolicyText)
  return { ...placeOf(ref), lifecyclePolicyText: text, status }
}
