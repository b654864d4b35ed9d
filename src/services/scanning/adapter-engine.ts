import { readAdapterReport } from '../../domain/scanning/adapter-report.ts'
import type { ScanType } from '../../domain/scanning/configuration.ts'
import { imageTypeUnsupported } from '../../domain/scanning/errors.ts'
import { inventoryFor, UNSUPPORTED } from '../../domain/scanning/judge.ts'
import type { Clock } from '../../lib/clock.ts'
import { failedReport, staleFailure } from './foreign-engine.ts'
import type { Inventories } from './inventories.ts'
import type { EngineReport, ScanEngine, ScanTarget } from './scan-engine.ts'

/** What a scanner is told of an image: it pulls it by itself. */
export interface AdapterArtifact {
  readonly repository: string
  readonly digest: string
  readonly mediaType: string
}

/** A scanner behind Harbor's scanner-adapter API. Bounded in time and size; throws with a sentence for people. */
export interface ScannerAdapter {
  /** Asks for a scan, and waits for its report. */
  report(artifact: AdapterArtifact, signal: AbortSignal): Promise<unknown>
  /** When its database was made, as far as it says. */
  databaseUpdatedAt(signal: AbortSignal): Promise<Date | undefined>
}

export interface AdapterEngineSettings {
  /** Databases of an older state of the world are too old. */
  readonly ageMsMax: number
}

/** A scanner elsewhere, such as those that Harbor uses. What kinds of packages it names, our own inventory knows. */
export class AdapterEngine implements ScanEngine {
  readonly name = 'adapter'
  readonly #inventories: Inventories
  readonly #adapter: ScannerAdapter
  readonly #clock: Clock
  readonly #settings: AdapterEngineSettings

  constructor(inventories: Inventories, adapter: ScannerAdapter, clock: Clock, settings: AdapterEngineSettings) {
    this.#inventories = inventories
    this.#adapter = adapter
    this.#clock = clock
    this.#settings = settings
  }

  async scan({ repository, image, layers }: ScanTarget, type: ScanType, signal: AbortSignal): Promise<EngineReport> {
    const topLayer = layers.at(-1)?.digest
    if (topLayer === undefined) throw imageTypeUnsupported()
    const inventory = await this.#inventories.inventoryOf(layers, signal)
    const isBlind =
      inventoryFor(type, inventory).packages.length === 0 && (type === 'BASIC' || inventory.os === undefined)
    if (isBlind) return { findings: [], coverage: [], failure: UNSUPPORTED }
    const artifact = { repository: repository.name, digest: image.digest, mediaType: image.mediaType }
    try {
      const report = readAdapterReport(await this.#adapter.report(artifact, signal), inventory, topLayer)
      const sourceUpdatedAt = await this.#adapter.databaseUpdatedAt(signal)
      const stale = staleFailure('the scanner', sourceUpdatedAt, this.#clock.now(), this.#settings.ageMsMax)
      return { ...report, coverage: [], failure: stale, sourceUpdatedAt }
    } catch (thrown) {
      signal.throwIfAborted()
      return failedReport('The scanner', thrown)
    }
  }
}
