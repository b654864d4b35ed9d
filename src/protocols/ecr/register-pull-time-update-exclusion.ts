import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

export const registerPullTimeUpdateExclusion: EcrOperation<'RegisterPullTimeUpdateExclusion'> = async (
  { principalArn },
  call,
) => {
  const registry = registryOf(undefined, call)
  return { principalArn, createdAt: await call.pullTimeExclusions.register(call.principal, registry, principalArn) }
}
