import { publicRegistryArn } from '../../domain/public-registry.ts'
import { pageAfter } from '../../services/paging.ts'
import { pagingOf } from '../ecr/pages.ts'
import type { PageInput, PublicOperation } from './operation.ts'

/** The caller's own registry: one, and so a single page. */
export const describeRegistries: PublicOperation<PageInput, object> = async (input, call) => {
  const { accountId } = call.principal
  pageAfter(pagingOf(input))
  const aliases = await call.publicRegistries.aliases(call.principal)
  const primary = aliases.find(({ isPrimary }) => isPrimary)
  const registry = {
    registryId: accountId,
    registryArn: publicRegistryArn(accountId),
    registryUri: primary === undefined ? '' : call.publicAddresses.registryUri(primary.name),
    verified: false,
    aliases: aliases.map(({ name, status, isPrimary, isDefault }) => ({
      name,
      status,
      primaryRegistryAlias: isPrimary,
      defaultRegistryAlias: isDefault,
    })),
  }
  return { registries: [registry] }
}
