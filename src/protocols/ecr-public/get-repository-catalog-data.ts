import { repositoryRef } from '../ecr/references.ts'
import { catalogOutput } from './catalog-data.ts'
import type { PublicOperation, RepositoryInput } from './operation.ts'

export const getRepositoryCatalogData: PublicOperation<RepositoryInput, object> = async (input, call) => {
  const catalog = await call.publicRegistries.getCatalog(call.principal, repositoryRef(input, call))
  return { catalogData: catalogOutput(catalog, call) }
}
