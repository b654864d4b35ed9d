import type { KmsOperation } from './operation.ts'

export const deleteAlias: KmsOperation<'DeleteAlias'> = async ({ AliasName }, call) => {
  await call.keyAliases.delete(call, AliasName)
  return {}
}
