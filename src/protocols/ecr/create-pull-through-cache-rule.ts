import type { EcrOperation } from './operation.ts'
import { ruleOutput } from './pull-through-rule-output.ts'
import { registryOf } from './references.ts'

export const createPullThroughCacheRule: EcrOperation<'CreatePullThroughCacheRule'> = async (input, call) => {
  const { principal, pullThroughRules } = call
  const rule = await pullThroughRules.create(principal, registryOf(input.registryId, call), {
    prefix: input.ecrRepositoryPrefix,
    upstreamUrl: input.upstreamRegistryUrl,
    upstreamKind: input.upstreamRegistry,
    upstreamPrefix: input.upstreamRepositoryPrefix,
    credentialArn: input.credentialArn,
    customRoleArn: input.customRoleArn,
  })
  const { updatedAt: _, ...output } = ruleOutput(rule)
  return output
}
