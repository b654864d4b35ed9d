import { aliasArn } from '../../domain/kms/key.ts'
import type { KmsOperation } from './operation.ts'
import { pagingOf, truncation } from './pages.ts'

export const listAliases: KmsOperation<'ListAliases'> = async (input, call) => {
  const page = await call.keyAliases.list(call, input.KeyId, pagingOf(input, 50))
  const aliases = page.items.map((alias) => ({
    AliasName: alias.name,
    AliasArn: aliasArn(alias),
    TargetKeyId: alias.keyId,
    CreationDate: alias.createdAt,
    LastUpdatedDate: alias.updatedAt,
  }))
  return { Aliases: aliases, ...truncation(page) }
}
