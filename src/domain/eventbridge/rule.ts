import { partitionOf } from '../arn.ts'
import type { Registry } from '../names.ts'
import type { ResourceTag } from '../repository.ts'
import type { TargetInput } from './input.ts'

/** What finds events, of one account in one region, and sends them to its targets. */
export interface EventRule extends NewEventRule {
  /** The store's own key; never shown. */
  readonly id: number
}

export interface NewEventRule {
  readonly registry: Registry
  readonly name: string
  /** As it was put. */
  readonly pattern: string
  readonly state: EventRuleState
  readonly description?: string | undefined
  readonly roleArn?: string | undefined
  readonly tags: readonly ResourceTag[]
}

export type EventRuleState = 'ENABLED' | 'DISABLED'

/** Where a rule sends what it finds, as it was put. */
export interface TargetSettings {
  readonly arn: string
  readonly roleArn?: string | undefined
  readonly input?: string | undefined
  readonly inputPath?: string | undefined
  readonly inputTransformer?: TargetTransformer | undefined
  readonly deadLetterArn?: string | undefined
  readonly retry?: RetrySettings | undefined
  readonly http?: HttpSettings | undefined
  readonly messageGroupId?: string | undefined
}

export interface TargetTransformer {
  readonly paths?: Readonly<Record<string, string>> | undefined
  readonly template: string
}

/** Absent members have EventBridge's own values. */
export interface RetrySettings {
  readonly attemptsMax?: number | undefined
  readonly ageSecondsMax?: number | undefined
}

/** Goes with what is sent to an HTTP endpoint. */
export interface HttpSettings {
  readonly path?: readonly string[] | undefined
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly query?: Readonly<Record<string, string>> | undefined
}

const FRAMING_HEADERS = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** Whether a header says how a request is sent rather than what it is about: no target has a say in that. */
export function isFramingHeader(name: string): boolean {
  return FRAMING_HEADERS.has(name.toLowerCase())
}

/** A target, and how far its deliveries have come. */
export interface EventTarget {
  /** The store's own key; never shown. */
  readonly id: number
  readonly ruleId: number
  /** Its name within the rule. */
  readonly name: string
  readonly settings: TargetSettings
  /** Every event up to here is delivered, given up, or not for it. */
  readonly position: number
  /** What has gone wrong with the event that is next; absent while all goes well. */
  readonly trouble?: DeliveryTrouble | undefined
}

/** An event that could not be delivered yet. */
export interface DeliveryTrouble {
  readonly position: number
  readonly attempts: number
  readonly since: Date
  readonly retryAt: Date
  readonly reason: string
}

/** An event that was given up. */
export interface DeadLetter {
  readonly id: number
  readonly registry: Registry
  readonly ruleName: string
  readonly targetName: string
  readonly targetArn: string
  readonly position: number
  readonly attempts: number
  readonly reason: string
  readonly at: Date
  /** What would have been sent. */
  readonly input: string
}

export type NewDeadLetter = Omit<DeadLetter, 'id'>

const RETRY_ATTEMPTS = 185
const RETRY_AGE_SECONDS = 86_400

/** How often and how long a target is tried, with EventBridge's values for what is not said. */
export function retryLimits({ retry }: TargetSettings): { readonly attemptsMax: number; readonly ageMsMax: number } {
  const { attemptsMax = RETRY_ATTEMPTS, ageSecondsMax = RETRY_AGE_SECONDS } = retry ?? {}
  return { attemptsMax, ageMsMax: ageSecondsMax * 1000 }
}

/** What a target is sent. */
export function inputOf({ input, inputPath, inputTransformer }: TargetSettings): TargetInput {
  if (input !== undefined) return { kind: 'constant', json: input }
  if (inputPath !== undefined) return { kind: 'path', path: inputPath }
  if (inputTransformer === undefined) return { kind: 'event' }
  return { kind: 'template', paths: inputTransformer.paths ?? {}, template: inputTransformer.template }
}

/** The one bus there is. */
export const DEFAULT_BUS = 'default'

export function eventBusArn(registry: Registry): string {
  return `${eventsArn(registry)}:event-bus/${DEFAULT_BUS}`
}

export function eventRuleArn({ registry, name }: Pick<EventRule, 'registry' | 'name'>): string {
  return `${eventsArn(registry)}:rule/${name}`
}

function eventsArn({ registryId, region }: Registry): string {
  return `arn:${partitionOf(region)}:events:${region}:${registryId}`
}
