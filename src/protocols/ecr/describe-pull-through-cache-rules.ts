import type { EcrOperation } from './operation.ts'
import { pagingOf, refusePaging } from './pages.ts'
import { ruleOutput } from './pull-through-rule-output.ts'
import { registryOf } from './references.ts'

/** A prefix that has no rule is refused. */
export const describePullThroughCacheRules: EcrOperation<'DescribePullThroughCacheRules'> = async (input, call) => {
  const { principal, pullThroughRules } = call
  const { ecrRepositoryPrefixes: prefixes } = input
  const registry = registryOf(input.registryId, call)
  if (prefixes !== undefined) {
    refusePaging(input, 'ecrRepositoryPrefixes')
    const rules = await pullThroughRules.getMany(principal, registry, prefixes)
    return { pullThroughCacheRules: rules.map(ruleOutput) }
  }
  const page = await pullThroughRules.list(principal, registry, pagingOf(input))
  return { pullThroughCacheRules: page.items.map(ruleOutput), nextToken: page.nextToken }
}
