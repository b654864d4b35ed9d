import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

export const putAccountSetting: EcrOperation<'PutAccountSetting'> = async ({ name, value }, call) =>
  call.accountSettings.put(call.principal, registryOf(undefined, call), name, value)
