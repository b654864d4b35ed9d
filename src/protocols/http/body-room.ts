import { throttled } from '../../domain/errors.ts'
import { Budget } from '../../lib/budget.ts'
import { ClientGone } from './body.ts'

/** How long bodies wait for each other, and how slow one may be while others wait for its room. */
export interface Patience {
  /** Who has waited so long for room is told to come again. */
  readonly waitMs: number
  /** How often, while somebody waits, the bodies on their way are looked at. */
  readonly lookMs: number
  /** For so long a body is looked at before it is judged. */
  readonly graceMs: number
  /** The least that it must have brought meanwhile, for each second. */
  readonly bytesPerSecond: number
}

const PATIENCE: Patience = { waitMs: 20_000, lookMs: 1_000, graceMs: 5_000, bytesPerSecond: 64 * 1024 }

/** Whose body is unread costs memory too: the server takes in up to a MiB of it unasked. More than so many do not wait. */
const WAITING_MAX = 64

/** A body that is coming in and holds room. */
export interface Arrival {
  receivedBytes: number
  /** Called, once at the most, when the body is too slow for those who wait; it is to be read no further. */
  giveUp(): void
}

/**
 * The memory that bodies of one kind share while they come in and are worked with. Who finds no room waits for it. A slow
 * client may take its time while nobody waits; while somebody does, those that hardly move give up their room, so that a
 * few stalled bodies do not keep everybody out.
 */
export class BodyRoom {
  readonly #budget: Budget
  readonly #patience: Patience
  readonly #arrivals = new Map<Arrival, Seen>()
  #waiting = 0
  #looking: ReturnType<typeof setInterval> | undefined

  constructor(totalBytes: number, patience: Patience = PATIENCE) {
    this.#budget = new Budget(totalBytes)
    this.#patience = patience
  }

  /** Answers what gives the room back. Throws `throttled` after a long wait or when too many wait, and `ClientGone`. */
  async take(sizeBytes: number, clientSignal: AbortSignal): Promise<() => void> {
    const atOnce = this.#budget.tryTake(sizeBytes)
    if (atOnce !== undefined) return atOnce
    if (this.#waiting >= WAITING_MAX) throw throttled()
    const ended = new AbortController()
    const leave = () => ended.abort(new ClientGone(clientSignal.reason))
    clientSignal.addEventListener('abort', leave, { once: true })
    const timeout = setTimeout(() => ended.abort(throttled()), this.#patience.waitMs)
    this.#beginToWait()
    try {
      if (clientSignal.aborted) leave()
      return await this.#budget.take(sizeBytes, ended.signal)
    } finally {
      this.#endToWait()
      clearTimeout(timeout)
      clientSignal.removeEventListener('abort', leave)
    }
  }

  /** Watches a body that has its room until `work` has read it. */
  async watch<T>(arrival: Arrival, work: () => Promise<T>): Promise<T> {
    this.#arrivals.set(arrival, { atMs: performance.now(), receivedBytes: 0 })
    try {
      return await work()
    } finally {
      this.#arrivals.delete(arrival)
    }
  }

  /** What a body did while nobody waited counts neither for it nor against it. */
  #beginToWait(): void {
    if (this.#waiting++ > 0) return
    for (const [arrival, seen] of this.#arrivals) note(arrival, seen)
    this.#looking = setInterval(() => this.#look(), this.#patience.lookMs)
  }

  #endToWait(): void {
    if (--this.#waiting === 0) clearInterval(this.#looking)
  }

  #look(): void {
    const { graceMs, bytesPerSecond } = this.#patience
    for (const [arrival, seen] of this.#arrivals) {
      const passedMs = performance.now() - seen.atMs
      if (passedMs < graceMs) continue
      if (arrival.receivedBytes - seen.receivedBytes < (passedMs / 1000) * bytesPerSecond) {
        this.#arrivals.delete(arrival)
        arrival.giveUp()
      } else note(arrival, seen)
    }
  }
}

/** How far a body was at a moment. */
interface Seen {
  atMs: number
  receivedBytes: number
}

function note(arrival: Arrival, seen: Seen): void {
  seen.atMs = performance.now()
  seen.receivedBytes = arrival.receivedBytes
}
