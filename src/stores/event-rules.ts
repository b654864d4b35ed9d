import type {
  DeadLetter,
  DeliveryTrouble,
  EventRule,
  EventRuleState,
  EventTarget,
  NewDeadLetter,
  NewEventRule,
  TargetSettings,
} from '../domain/eventbridge/rule.ts'
import type { Registry } from '../domain/names.ts'
import type { ResourceTag } from '../domain/repository.ts'
import type { Page } from './page.ts'

/** How names of rules begin that no account has put, and none sees: no rule of an account can be called so. */
export const OWN_RULES = 'ecru:'

/** A target with the rule it belongs to. */
export interface PlacedEventTarget {
  readonly rule: EventRule
  readonly target: EventTarget
}

/** Rules about events, their targets, and what could not be delivered. */
export interface EventRuleReader {
  find(registry: Registry, name: string): Promise<EventRule | undefined>
  /** In ascending order of name; those whose name begins with `prefix`. */
  list(registry: Registry, prefix: string, page: Page<string>): Promise<readonly EventRule[]>
  count(registry: Registry): Promise<number>
  /** In ascending order of name. */
  listTargets(ruleId: number): Promise<readonly EventTarget[]>
  /** All targets of all enabled rules, in ascending order of the store's key. */
  listActive(): Promise<readonly PlacedEventTarget[]>
  /** A target of an enabled rule; `undefined` when either is no more. */
  findActive(targetId: number): Promise<PlacedEventTarget | undefined>
  /** In ascending order of the store's key. */
  listDeadLetters(page: Page<number>): Promise<readonly DeadLetter[]>
}

export interface EventRuleWriter extends EventRuleReader {
  /** Makes the rule, or gives the one of this name all that is said but tags. */
  put(rule: NewEventRule): Promise<EventRule>
  /** Its targets begin anew at `position` when the rule is enabled. */
  setState(ruleId: number, state: EventRuleState, position: number): Promise<void>
  setTags(ruleId: number, tags: readonly ResourceTag[]): Promise<void>
  /** With its targets. */
  delete(ruleId: number): Promise<void>
  /** A new target begins behind `position`; one of this name goes on where it is, without the trouble it had. */
  putTarget(ruleId: number, name: string, settings: TargetSettings, position: number): Promise<void>
  /** False when it was not there. */
  deleteTarget(ruleId: number, name: string): Promise<boolean>
  /** The target has come from one position to another, and has no trouble. False, and nothing done, when it is no longer at `from`. */
  advance(targetId: number, from: number, to: number): Promise<boolean>
  /** False, and nothing done, when it is no longer at `from`. */
  noteTrouble(targetId: number, from: number, trouble: DeliveryTrouble): Promise<boolean>
  /** Goes back, or on, to behind `position`, without the trouble it had. */
  rewind(targetId: number, position: number): Promise<void>
  addDeadLetter(letter: NewDeadLetter): Promise<void>
  /** Up to an id; answers how many. */
  deleteDeadLetters(upTo: number): Promise<number>
  /** The oldest, beyond the newest `countMax` or older than `before`; up to `limit`. */
  pruneDeadLetters(before: Date, countMax: number, limit: number): Promise<number>
}
