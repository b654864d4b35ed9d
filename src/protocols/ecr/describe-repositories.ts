import type { EcrOperation } from './operation.ts'
import { pagingOf, refusePaging } from './pages.ts'
import { registryOf, repositoryRef } from './references.ts'
import { repositoryOutput } from './repository-output.ts'

export const describeRepositories: EcrOperation<'DescribeRepositories'> = async (input, call) => {
  const { registryId, repositoryNames } = input
  if (repositoryNames !== undefined) {
    refusePaging(input, 'repositoryNames')
    const refs = [...new Set(repositoryNames)].map((repositoryName) =>
      repositoryRef({ registryId, repositoryName }, call),
    )
    const repositories = await call.repositories.getMany(call.principal, refs)
    return { repositories: repositories.map((repository) => repositoryOutput(repository, call)) }
  }
  const page = await call.repositories.list(call.principal, registryOf(registryId, call), pagingOf(input))
  return {
    repositories: page.items.map((repository) => repositoryOutput(repository, call)),
    nextToken: page.nextToken,
  }
}
