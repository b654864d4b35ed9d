import { scanningOf } from '../domain/scanning/configuration.ts'
import { isEligible, type ScanDurations } from '../domain/scanning/status.ts'
import type { Clock } from '../lib/clock.ts'
import type { ImageScanner } from '../services/scanning/image-scanner.ts'
import { scanConfigurationOf } from '../services/scanning/scan-configurations.ts'
import { BUILT_IN } from '../services/scanning/scan-engine.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { PlacedScan } from '../stores/scans.ts'
import type { Pace } from './pace.ts'

const STEP = 50
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

/**
 * Continuous scanning by another scanner: what that knows changes without a word to the registry, so each image is scanned
 * again when its scan is a day old. The registry's own scanner follows its advisories instead.
 */
export class ScanRenewal {
  readonly #metadata: MetadataStore
  readonly #scanner: ImageScanner
  readonly #clock: Clock
  readonly #durations: ScanDurations
  #lookedAtMs = Number.NEGATIVE_INFINITY

  constructor(metadata: MetadataStore, scanner: ImageScanner, clock: Clock, durations: ScanDurations) {
    this.#metadata = metadata
    this.#scanner = scanner
    this.#clock = clock
    this.#durations = durations
  }

  /** Once an hour. */
  isDue(): boolean {
    return this.#scanner.engineName !== BUILT_IN && this.#clock.now().getTime() - this.#lookedAtMs >= HOUR_MS
  }

  /** Answers how many images are to be scanned again. Cut off, it finds the others the next time. */
  async run(pace: Pace, prove: (tx: MetadataWriter) => Promise<void>): Promise<number> {
    if (!this.isDue()) return 0
    const now = this.#clock.now()
    const before = new Date(now.getTime() - DAY_MS)
    let count = 0
    for (let after = 0; ; ) {
      const page = await this.#metadata.view.scans.listEndedBefore('ENHANCED', before, { after, limit: STEP })
      const due: PlacedScan[] = []
      for (const placed of page.placed) if (await this.#isFollowed(placed, now)) due.push(placed)
      if (due.length > 0)
        await this.#metadata.transact(async (tx) => {
          await prove(tx)
          for (const { scan, repository } of due)
            await tx.scans.request(scan.imageId, repository.registry, scan.type, now, now)
        })
      count += due.length
      await pace.rest()
      if (page.next === undefined) break
      after = page.next
    }
    this.#lookedAtMs = now.getTime()
    return count
  }

  async #isFollowed({ image, repository }: PlacedScan, now: Date): Promise<boolean> {
    const configuration = await scanConfigurationOf(this.#metadata.view, repository.registry)
    const { type, frequency } = scanningOf(configuration, repository)
    if (type !== 'ENHANCED' || frequency !== 'CONTINUOUS_SCAN') return false
    return image.status === 'ACTIVE' && isEligible(image, now, this.#durations)
  }
}
