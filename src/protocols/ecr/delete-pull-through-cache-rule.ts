import type { EcrOperation } from './operation.ts'
import { ruleOutput } from './pull-through-rule-output.ts'
import { registryOf } from './references.ts'

/** What was cached stays. */
export const deletePullThroughCacheRule: EcrOperation<'DeletePullThroughCacheRule'> = async (input, call) => {
  const { principal, pullThroughRules } = call
  const rule = await pullThroughRules.delete(principal, registryOf(input.registryId, call), input.ecrRepositoryPrefix)
  const { updatedAt: _updatedAt, upstreamRegistry: _kind, ...output } = ruleOutput(rule)
  return output
}
