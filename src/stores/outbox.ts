import type { AnyEvent } from '../domain/events.ts'
import type { Registry } from '../domain/names.ts'

/** An event where it stands in the log. */
export interface OutboxEvent extends AnyEvent {
  /** Ascending in the order of commits; never used twice. */
  readonly position: number
}

/** From where to where the log reaches. An empty one has `first` behind `last`. */
export interface OutboxRange {
  /** The oldest position that is kept. */
  readonly first: number
  /** The newest position that was ever given. */
  readonly last: number
}

/** Some events in a row. */
export interface OutboxPage {
  readonly events: readonly OutboxEvent[]
  /** There were no more behind them. */
  readonly isEnd: boolean
}

/** The log of all events, in the order in which their changes were committed. */
export interface OutboxReader {
  /** Up to `limit` events behind `after`, ascending; of one registry, or of all. */
  list(after: number, limit: number, registry?: Registry): Promise<readonly OutboxEvent[]>
  /** The same, but not more than are `bytesMax` together, or one: events are as large as those who put them like. */
  page(after: number, limit: number, bytesMax: number, registry?: Registry): Promise<OutboxPage>
  /** When up to `limit` events behind `after` happened, ascending by position. */
  listTimes(after: number, limit: number): Promise<readonly { readonly position: number; readonly at: Date }[]>
  range(): Promise<OutboxRange>
}

export interface OutboxWriter extends OutboxReader {
  /**
   * Writes the event down in the transaction of the change that it tells of, and answers its position: the event is there
   * if, and only if, the change is. Those who watch the outbox hear of it after the commit.
   */
  append(event: AnyEvent): Promise<number>
  /**
   * Removes up to `limit` of the oldest events that are older than `before`, or beyond the newest `countMax`; answers how
   * many. The first that is to stay ends it.
   */
  prune(before: Date, countMax: number, limit: number): Promise<number>
}
