import { pagingOf, refusePaging } from '../ecr/pages.ts'
import { registryOf, repositoryRef } from '../ecr/references.ts'
import type { PageInput, PublicOperation } from './operation.ts'
import { repositoryOutputs } from './repository-output.ts'

interface Input extends PageInput {
  readonly registryId?: string | undefined
  readonly repositoryNames?: readonly string[] | undefined
}

export const describeRepositories: PublicOperation<Input, object> = async (input, call) => {
  const { registryId, repositoryNames } = input
  if (repositoryNames !== undefined) {
    refusePaging(input, 'repositoryNames')
    const names = [...new Set(repositoryNames)]
    const refs = names.map((repositoryName) => repositoryRef({ registryId, repositoryName }, call))
    const repositories = await call.repositories.getMany(call.principal, refs)
    return { repositories: await repositoryOutputs(repositories, call) }
  }
  const page = await call.repositories.list(call.principal, registryOf(registryId, call), pagingOf(input))
  return { repositories: await repositoryOutputs(page.items, call), nextToken: page.nextToken }
}
