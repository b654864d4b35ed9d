import type * as Sdk from '@aws-sdk/client-eventbridge'
import type { EventRules } from '../../services/events/event-rules.ts'
import type { EventTargets } from '../../services/events/event-targets.ts'
import type { PutEvents } from '../../services/events/put-events.ts'
import type { AwsCall } from '../aws/context.ts'
import type { Given } from '../aws/given.ts'

/** What the operations of EventBridge are made of. */
export interface EventsServices {
  readonly eventRules: EventRules
  readonly eventTargets: EventTargets
  readonly putEvents: PutEvents
}

/** One call of an operation: who calls, in which region, and the services it may use. */
export type EventsCall = AwsCall & EventsServices

export type EventsOperationName =
  Extract<keyof typeof Sdk, `${string}Command`> extends `${infer Name}Command` ? Name : never

type Command<Name extends EventsOperationName> = InstanceType<(typeof Sdk)[`${Name}Command`]>

/** An operation's input once it was validated: what the model requires is there. */
export type EventsInput<Name extends EventsOperationName> = Given<Command<Name>['input']>

/** An operation's output, as the AWS SDK will show it. */
export type EventsOutput<Name extends EventsOperationName> = Omit<
  Awaited<ReturnType<ReturnType<Command<Name>['resolveMiddleware']>>>['output'],
  '$metadata'
>

/** The handler of one operation: input → service → output. */
export type EventsOperation<Name extends EventsOperationName> = (
  input: EventsInput<Name>,
  call: EventsCall,
) => Promise<EventsOutput<Name>>
