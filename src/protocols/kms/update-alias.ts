import type { KmsOperation } from './operation.ts'

export const updateAlias: KmsOperation<'UpdateAlias'> = async ({ AliasName, TargetKeyId }, call) => {
  await call.keyAliases.update(call, AliasName, TargetKeyId)
  return {}
}
