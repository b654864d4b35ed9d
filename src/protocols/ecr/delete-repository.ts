import type { EcrOperation } from './operation.ts'
import { repositoryRef } from './references.ts'
import { repositoryOutput } from './repository-output.ts'

export const deleteRepository: EcrOperation<'DeleteRepository'> = async (input, call) => {
  const repository = await call.repositories.delete(call.principal, repositoryRef(input, call), input.force ?? false)
  return { repository: repositoryOutput(repository, call) }
}
