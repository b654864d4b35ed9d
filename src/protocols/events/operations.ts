import eventsModel from '../../../models/events.json' with { type: 'json' }
import type { JsonService } from '../aws/json-rpc.ts'
import { operationTable } from '../aws/operation-table.ts'
import { validationError } from '../aws/validation-error.ts'
import { deleteRule } from './delete-rule.ts'
import { describeRule } from './describe-rule.ts'
import { disableRule } from './disable-rule.ts'
import { enableRule } from './enable-rule.ts'
import { listRules } from './list-rules.ts'
import { listTagsForResource } from './list-tags-for-resource.ts'
import { listTargetsByRule } from './list-targets-by-rule.ts'
import type { EventsOperation, EventsOperationName, EventsServices } from './operation.ts'
import { putEvents } from './put-events.ts'
import { putRule } from './put-rule.ts'
import { putTargets } from './put-targets.ts'
import { removeTargets } from './remove-targets.ts'
import { tagResource } from './tag-resource.ts'
import { testEventPattern } from './test-event-pattern.ts'
import { untagResource } from './untag-resource.ts'

type Operations = Partial<{ readonly [Name in EventsOperationName]: EventsOperation<Name> }>

const OPERATIONS = {
  DeleteRule: deleteRule,
  DescribeRule: describeRule,
  DisableRule: disableRule,
  EnableRule: enableRule,
  ListRules: listRules,
  ListTagsForResource: listTagsForResource,
  ListTargetsByRule: listTargetsByRule,
  PutEvents: putEvents,
  PutRule: putRule,
  PutTargets: putTargets,
  RemoveTargets: removeTargets,
  TagResource: tagResource,
  TestEventPattern: testEventPattern,
  UntagResource: untagResource,
} satisfies Operations

/** EventBridge: rules about what happens here, and about events that callers put, over AWS JSON 1.1. */
export function eventsService(services: EventsServices): JsonService {
  return {
    model: eventsModel,
    operations: operationTable(eventsModel, OPERATIONS, [], (call) => ({ ...services, ...call })),
    errorOf: validationError,
  }
}
