import { throttled } from '../../domain/errors.ts'
import type { Clock } from '../../lib/clock.ts'

const REMEMBERED_MAX = 10_000

/** Failures of somebody: a level that every failure raises and time lowers. */
interface Level {
  failures: number
  atMs: number
}

/**
 * Slows down whoever guesses: after `failuresMax` failures further attempts are looked at only as fast as failures are
 * forgotten, `failuresMax` in a minute. Remembers a bounded number of guessers, in this process alone.
 */
export class Attempts {
  readonly #clock: Clock
  readonly #failuresMax: number
  readonly #levels = new Map<string, Level>()

  constructor(clock: Clock, failuresMax: number) {
    this.#clock = clock
    this.#failuresMax = failuresMax
  }

  /** To be asked before an attempt is looked at. Throws `throttled`. */
  admit(who: string): void {
    if (this.#levels.size > 0 && this.#isTooMany(this.#levels.get(who))) throw throttled()
  }

  /** Counts a failure. Throws `throttled` when there were too many already, instead of what the failure would say. */
  failed(who: string): void {
    const nowMs = this.#clock.now().getTime()
    const level = this.#levels.get(who)
    const failures = level === undefined ? 0 : this.#lowered(level, nowMs)
    // The newest goes last: the oldest make room.
    this.#levels.delete(who)
    if (this.#levels.size >= REMEMBERED_MAX) {
      const oldest = this.#levels.keys().next()
      if (!oldest.done) this.#levels.delete(oldest.value)
    }
    this.#levels.set(who, { failures: Math.min(failures + 1, this.#failuresMax), atMs: nowMs })
    if (failures > this.#failuresMax - 1) throw throttled()
  }

  #isTooMany(level: Level | undefined): boolean {
    return level !== undefined && this.#lowered(level, this.#clock.now().getTime()) > this.#failuresMax - 1
  }

  #lowered({ failures, atMs }: Level, nowMs: number): number {
    return Math.max(0, failures - (Math.max(0, nowMs - atMs) * this.#failuresMax) / 60_000)
  }
}

/** By whom guesses are counted: an address, or the network of 64 bits that an IPv6 client has to itself. */
export function guesserOf(address: string): string {
  if (!address.includes(':') || address.includes('.')) return address
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const whole =
    tail === undefined ? groups : [...groups, ...Array(8 - groups.length - after.length).fill('0'), ...after]
  return `${whole.slice(0, 4).join(':')}::/64`
}
