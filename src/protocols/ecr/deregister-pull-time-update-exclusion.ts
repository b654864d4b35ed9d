import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

export const deregisterPullTimeUpdateExclusion: EcrOperation<'DeregisterPullTimeUpdateExclusion'> = async (
  { principalArn },
  call,
) => {
  await call.pullTimeExclusions.deregister(call.principal, registryOf(undefined, call), principalArn)
  return { principalArn }
}
