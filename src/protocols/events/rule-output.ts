import type { Rule } from '@aws-sdk/client-eventbridge'
import { DEFAULT_BUS, type EventRule, eventRuleArn } from '../../domain/eventbridge/rule.ts'

/** What DescribeRule and ListRules both tell. */
export function ruleOutput(rule: EventRule): Rule {
  return {
    Name: rule.name,
    Arn: eventRuleArn(rule),
    EventPattern: rule.pattern,
    State: rule.state,
    Description: rule.description,
    RoleArn: rule.roleArn,
    EventBusName: DEFAULT_BUS,
  }
}
