import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

export const getAccountSetting: EcrOperation<'GetAccountSetting'> = async ({ name }, call) =>
  call.accountSettings.get(call.principal, registryOf(undefined, call), name)
