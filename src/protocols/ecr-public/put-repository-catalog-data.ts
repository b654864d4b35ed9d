import { repositoryRef } from '../ecr/references.ts'
import { catalogInput, catalogOutput, type WireCatalogInput } from './catalog-data.ts'
import type { PublicOperation, RepositoryInput } from './operation.ts'

interface Input extends RepositoryInput {
  readonly catalogData: WireCatalogInput
}

export const putRepositoryCatalogData: PublicOperation<Input, object> = async (input, call) => {
  const { principal, publicRegistries } = call
  const given = catalogInput(input.catalogData)
  return {
    catalogData: catalogOutput(await publicRegistries.putCatalog(principal, repositoryRef(input, call), given), call),
  }
}
