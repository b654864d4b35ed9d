import type { KmsOperation } from './operation.ts'

export const createAlias: KmsOperation<'CreateAlias'> = async ({ AliasName, TargetKeyId }, call) => {
  await call.keyAliases.create(call, AliasName, TargetKeyId)
  return {}
}
