import { repositoryRef } from '../ecr/references.ts'
import type { PublicOperation, RepositoryInput } from './operation.ts'
import { repositoryOutputs } from './repository-output.ts'

interface Input extends RepositoryInput {
  readonly force?: boolean | undefined
}

export const deleteRepository: PublicOperation<Input, object> = async (input, call) => {
  const repository = await call.repositories.delete(call.principal, repositoryRef(input, call), input.force ?? false)
  const [output] = await repositoryOutputs([repository], call)
  return { repository: output }
}
