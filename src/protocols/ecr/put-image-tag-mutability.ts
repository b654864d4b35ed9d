import type { EcrOperation } from './operation.ts'
import { placeOf, repositoryRef } from './references.ts'
import { mutabilityOutput } from './repository-output.ts'

export const putImageTagMutability: EcrOperation<'PutImageTagMutability'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const mutability = await call.repositories.putMutability(call.principal, ref, {
    mode: input.imageTagMutability,
    exclusionFilters: input.imageTagMutabilityExclusionFilters?.map(({ filter }) => filter),
  })
  return { ...placeOf(ref), ...mutabilityOutput(mutability) }
}
