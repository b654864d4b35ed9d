import { invalidParameters } from '../../domain/errors.ts'
import type { Clock } from '../../lib/clock.ts'
import {
  AdvisoryImportFailed,
  type AdvisoryStatus,
  type AdvisoryStore,
  type ImportProgress,
  type ImportReport,
  type ImportRequest,
} from '../../stores/advisories.ts'

export interface AdvisorySettings {
  /** Where `fetch` goes to: a directory, a file or a URL. */
  readonly source: string | undefined
  /** Of a bucket only these; all when absent. */
  readonly ecosystems: readonly string[] | undefined
  /** Advisories of an older state of the world are too old. */
  readonly ageMsMax: number
  readonly caFile: string | undefined
}

/** What advisories there are, and whether findings that rest on them can be trusted. */
export interface AdvisoryReport extends Partial<AdvisoryStatus> {
  /** `absent`: nothing was ever imported. `stale`: all of it is older than allowed. `present`: some of it is not. */
  readonly state: 'absent' | 'stale' | 'present'
  /** Of the newest dump. */
  readonly ageMs?: number | undefined
  readonly maximumAgeMs: number
  /** Too old; findings that rest on them say so. */
  readonly staleEcosystems: readonly string[]
  /** An import that is under way. */
  readonly importing?: ImportProgress | undefined
}

/** Brings advisories in and says what there is. What they are used for is decided by `Matching`. */
export class Advisories {
  readonly #store: AdvisoryStore
  readonly #clock: Clock
  readonly #settings: AdvisorySettings
  #importing: ImportProgress | undefined

  constructor(store: AdvisoryStore, clock: Clock, settings: AdvisorySettings) {
    this.#store = store
    this.#clock = clock
    this.#settings = settings
  }

  async status(): Promise<AdvisoryReport> {
    const { ageMsMax } = this.#settings
    const importing = this.#importing
    const status = await this.#store.use((set) => set?.status)
    if (status === undefined) return { state: 'absent', maximumAgeMs: ageMsMax, staleEcosystems: [], importing }
    const now = this.#clock.now().getTime()
    const ages = status.ecosystems.map(({ ecosystem, asOf }) => ({ ecosystem, ageMs: now - asOf.getTime() }))
    const stale = ages.filter(({ ageMs }) => ageMs > ageMsMax)
    return {
      state: ages.length > 0 && stale.length === ages.length ? 'stale' : ages.length === 0 ? 'absent' : 'present',
      ageMs: ages.length === 0 ? undefined : Math.max(0, Math.min(...ages.map(({ ageMs }) => ageMs))),
      maximumAgeMs: ageMsMax,
      staleEcosystems: stale.map(({ ecosystem }) => ecosystem),
      importing,
      ...status,
    }
  }

  /**
   * Imports a directory, a file or what is behind a URL, as this process sees it. Throws `invalid-parameter` with the
   * reason when that cannot be done; what was there before is then there still.
   */
  async import(
    request: Pick<ImportRequest, 'from' | 'ecosystems' | 'source'>,
    onProgress: (progress: ImportProgress) => void = () => {},
  ): Promise<ImportReport> {
    const { caFile } = this.#settings
    try {
      return await this.#store.import({ ...request, caFile, at: this.#clock.now() }, (progress) => {
        this.#importing = progress
        onProgress(progress)
      })
    } catch (thrown) {
      if (thrown instanceof AdvisoryImportFailed) throw invalidParameters(thrown.message)
      throw thrown
    } finally {
      this.#importing = undefined
    }
  }

  /** Imports what has changed at the configured source. Throws `invalid-parameter` when none is configured. */
  async fetch(onProgress?: (progress: ImportProgress) => void): Promise<ImportReport> {
    const { source, ecosystems } = this.#settings
    if (source === undefined)
      throw invalidParameters('No source of advisories is configured: set ECRU_ADVISORIES_SOURCE.')
    return await this.import({ from: source, ecosystems }, onProgress)
  }
}
