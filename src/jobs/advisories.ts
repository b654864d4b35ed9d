import type { LogFacts } from '../lib/logger.ts'
import type { Advisories } from '../services/advisories/advisories.ts'
import type { ImportReport } from '../stores/advisories.ts'
import type { Job } from './runner.ts'

/** Fetches what has changed at the configured source of advisories. */
export class AdvisoryFetch implements Job<ImportReport> {
  readonly name = 'advisories'
  readonly #advisories: Advisories

  constructor(advisories: Advisories) {
    this.#advisories = advisories
  }

  async run(signal: AbortSignal): Promise<ImportReport> {
    signal.throwIfAborted()
    return await this.#advisories.fetch()
  }

  summary({ addedCount, changedCount, removedCount, rejectedCount, durationMs }: ImportReport): LogFacts {
    return { addedCount, changedCount, removedCount, rejectedCount, durationMs }
  }
}
