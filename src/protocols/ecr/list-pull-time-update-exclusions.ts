import type { EcrOperation } from './operation.ts'
import { pagingOf } from './pages.ts'
import { registryOf } from './references.ts'

export const listPullTimeUpdateExclusions: EcrOperation<'ListPullTimeUpdateExclusions'> = async (input, call) => {
  const page = await call.pullTimeExclusions.list(call.principal, registryOf(undefined, call), pagingOf(input))
  return { pullTimeUpdateExclusions: [...page.items], nextToken: page.nextToken }
}
