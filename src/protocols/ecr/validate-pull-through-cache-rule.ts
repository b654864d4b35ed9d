import type { EcrOperation } from './operation.ts'
import { identityOf } from './pull-through-rule-output.ts'
import { registryOf } from './references.ts'

/** A login that fails is an answer, not an error. */
export const validatePullThroughCacheRule: EcrOperation<'ValidatePullThroughCacheRule'> = async (input, call) => {
  const { principal, pullThroughRules } = call
  const registry = registryOf(input.registryId, call)
  const { rule, failure } = await pullThroughRules.validate(principal, registry, input.ecrRepositoryPrefix)
  return { ...identityOf(rule), upstreamRegistryUrl: rule.upstreamUrl, isValid: failure === undefined, failure }
}
