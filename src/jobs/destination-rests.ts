import { isRegistryError } from '../domain/errors.ts'
import type { Registry } from '../domain/names.ts'
import { REST_MS_MAX, waitAfterAttempt } from '../domain/replication/replication.ts'

interface Rest {
  readonly sinceMs: number
  readonly untilMs: number
  readonly failures: number
}

/** Which registries are left alone for a while, with everything that is to go there, since they could not be reached. */
export class DestinationRests {
  readonly #rests = new Map<string, Rest>()

  isResting(destination: Registry, nowMs: number): boolean {
    const { untilMs = 0 } = this.#rests.get(keyOf(destination)) ?? {}
    // A rest that is longer than any began before the clock was set back.
    return untilMs > nowMs && untilMs - nowMs <= REST_MS_MAX
  }

  /** It rests twice as long each time, or as long as it asks for, an hour at most. Answers until when. */
  begin(destination: Registry, error: Error, nowMs: number): number {
    const { failures = 0 } = this.#rests.get(keyOf(destination)) ?? {}
    const asked = isRegistryError(error) ? Number(error.details.retryAfterMs ?? 0) : 0
    const untilMs = nowMs + Math.min(Math.max(waitAfterAttempt(failures + 1), asked), REST_MS_MAX)
    this.#rests.set(keyOf(destination), { sinceMs: nowMs, untilMs, failures: failures + 1 })
    return untilMs
  }

  /** Something that was begun then has succeeded. What went on beside the failure says nothing about it. */
  end(destination: Registry, begunMs: number): void {
    const rest = this.#rests.get(keyOf(destination))
    if (rest !== undefined && rest.sinceMs <= begunMs) this.#rests.delete(keyOf(destination))
  }
}

function keyOf({ registryId, region }: Registry): string {
  return `${registryId}/${region}`
}
