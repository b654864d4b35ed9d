import type { EventsOperation } from './operation.ts'
import { ruleNamed } from './rule-input.ts'
import { ruleOutput } from './rule-output.ts'

export const describeRule: EventsOperation<'DescribeRule'> = async (input, call) => {
  const rule = await call.eventRules.describe(call, ruleNamed(input))
  return { ...ruleOutput(rule), CreatedBy: rule.registry.registryId }
}
