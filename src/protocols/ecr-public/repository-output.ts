import { repositoryArn } from '../../domain/arn.ts'
import type { Repository } from '../../domain/repository.ts'
import { placeOf } from '../ecr/references.ts'
import type { PublicCall } from './operation.ts'

/** ECR Public's Repositories, all of one registry. */
export async function repositoryOutputs(repositories: readonly Repository[], call: PublicCall) {
  const [first] = repositories
  const alias = first === undefined ? '' : await call.publicRegistries.primaryAlias(first.registry.registryId)
  return repositories.map((repository) => ({
    repositoryArn: repositoryArn(repository),
    ...placeOf(repository),
    repositoryUri: call.publicAddresses.repositoryUri(alias, repository.name),
    createdAt: repository.createdAt,
  }))
}
