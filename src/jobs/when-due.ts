import type { JobRunner } from './runner.ts'

const LOOK_EVERY_MS = 5_000

/** Runs a job as soon as there is something for it to do: looks every few seconds, and at once when told to. */
export class WhenDue {
  readonly #runner: JobRunner<unknown>
  readonly #isDue: () => Promise<boolean>
  readonly #onError: (error: unknown) => void
  #timer: ReturnType<typeof setInterval> | undefined
  #looking: Promise<void> | undefined
  #isWanted = false

  /** `onError` hears when it could not be looked whether there is something to do; failures of the job are the runner's. */
  constructor(runner: JobRunner<unknown>, isDue: () => Promise<boolean>, onError: (error: unknown) => void) {
    this.#runner = runner
    this.#isDue = isDue
    this.#onError = onError
  }

  start(): void {
    this.#timer = setInterval(() => this.look(), LOOK_EVERY_MS)
    this.#timer.unref()
    this.look()
  }

  /** Looks now, or once more after the present look, which may have passed by what it is about. Nothing unless started. */
  look(): void {
    if (this.#timer === undefined) return
    this.#isWanted = true
    this.#looking ??= this.#lookWhileWanted().finally(() => {
      this.#looking = undefined
    })
  }

  /** Waits for a look that is under way; the runner is closed by whoever made it. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#timer = undefined
    await this.#looking
  }

  async #lookWhileWanted(): Promise<void> {
    while (this.#isWanted && this.#timer !== undefined) {
      this.#isWanted = false
      await this.#lookOnce()
    }
  }

  async #lookOnce(): Promise<void> {
    try {
      if (!(await this.#isDue())) return
    } catch (error) {
      this.#onError(error)
      return
    }
    await this.#runner.runNow().catch(() => undefined)
  }
}
