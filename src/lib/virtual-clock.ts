import type { Clock } from './clock.ts'

/** How far a clock may be ahead: far enough for every policy, and near enough for every date that is reckoned from it. */
export const VIRTUAL_OFFSET_MS_MAX = 100 * 366 * 86_400_000

/** A clock that runs with another and can be moved ahead of it, never back. It is as far ahead as this process moved it. */
export class VirtualClock implements Clock {
  readonly #real: Clock
  #offsetMs = 0

  constructor(real: Clock) {
    this.#real = real
  }

  /** How far it is ahead. */
  get offsetMs(): number {
    return this.#offsetMs
  }

  now(): Date {
    const now = this.#real.now()
    return this.#offsetMs === 0 ? now : new Date(now.getTime() + this.#offsetMs)
  }

  /** Throws a RangeError, and does nothing, when that would move it back or too far. */
  advance(ms: number): void {
    const offsetMs = this.#offsetMs + ms
    if (!(ms >= 0 && offsetMs <= VIRTUAL_OFFSET_MS_MAX))
      throw new RangeError(`The clock cannot be advanced by ${ms} ms`)
    this.#offsetMs = offsetMs
  }
}
