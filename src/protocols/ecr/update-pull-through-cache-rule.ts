import type { EcrOperation } from './operation.ts'
import { identityOf } from './pull-through-rule-output.ts'
import { registryOf } from './references.ts'

export const updatePullThroughCacheRule: EcrOperation<'UpdatePullThroughCacheRule'> = async (input, call) => {
  const { principal, pullThroughRules } = call
  const { credentialArn, customRoleArn } = input
  const registry = registryOf(input.registryId, call)
  const change = { credentialArn, customRoleArn }
  const rule = await pullThroughRules.update(principal, registry, input.ecrRepositoryPrefix, change)
  return { ...identityOf(rule), updatedAt: rule.updatedAt }
}
