import { parseRepositoryName } from '../../domain/names.ts'
import { publicRegistry } from '../../domain/public-registry.ts'
import { catalogInput, catalogOutput, type WireCatalogInput } from './catalog-data.ts'
import type { PublicOperation } from './operation.ts'
import { repositoryOutputs } from './repository-output.ts'
import { resourceTags, type WireTag } from './resource-tags.ts'

interface Input {
  readonly repositoryName: string
  readonly tags?: readonly WireTag[] | undefined
  readonly catalogData?: WireCatalogInput | undefined
}

export const createRepository: PublicOperation<Input, object> = async (input, call) => {
  const { principal, publicRegistries } = call
  const ref = { registry: publicRegistry(principal.accountId), name: parseRepositoryName(input.repositoryName) }
  const { repository, catalog } = await publicRegistries.createRepository(principal, ref, {
    catalog: input.catalogData && catalogInput(input.catalogData),
    tags: resourceTags(input.tags ?? []),
  })
  const [output] = await repositoryOutputs([repository], call)
  return { repository: output, catalogData: catalogOutput(catalog, call) }
}
