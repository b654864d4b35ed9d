import type { Digest } from '../domain/digest.ts'
import type { Image } from '../domain/image.ts'
import type { Registry, RepositoryName } from '../domain/names.ts'
import type { Repository } from '../domain/repository.ts'
import { scanningOf } from '../domain/scanning/configuration.ts'
import { isScannable } from '../domain/scanning/scannable.ts'
import type { Clock } from '../lib/clock.ts'
import { scanConfigurationOf } from '../services/scanning/scan-configurations.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { Pace } from './pace.ts'

const STEP = 100
const DAY_MS = 24 * 3_600_000

/** Enhanced scanning picks up what was pushed in the last 14 days. */
const PICKED_UP_MS = 14 * DAY_MS

/** Finds images that rules have come to select, and asks for their first scan. */
export class ScanSweep {
  readonly #metadata: MetadataStore
  readonly #clock: Clock

  constructor(metadata: MetadataStore, clock: Clock) {
    this.#metadata = metadata
    this.#clock = clock
  }

  async isDue(): Promise<boolean> {
    return (await this.#metadata.view.scans.listSweeps(1)).length > 0
  }

  /** `prove` runs in each transaction. Cut off, it begins anew: what was asked for is not asked for again. */
  async run(pace: Pace, prove: (tx: MetadataWriter) => Promise<void>): Promise<number> {
    let count = 0
    for (const registry of await this.#metadata.view.scans.listSweeps(STEP)) {
      const configuration = await scanConfigurationOf(this.#metadata.view, registry)
      for await (const repository of this.#repositories(registry)) {
        const { type, isScannedOnPush } = scanningOf(configuration, repository)
        if (type === 'ENHANCED' && isScannedOnPush) count += await this.#sweepRepository(repository, pace, prove)
        await pace.rest()
      }
      await this.#metadata.transact(async (tx) => {
        await prove(tx)
        // Rules that were put meanwhile are for the next sweep.
        if (Bun.deepEquals(await scanConfigurationOf(tx, registry), configuration)) await tx.scans.endSweep(registry)
      })
    }
    return count
  }

  async #sweepRepository(
    repository: Repository,
    pace: Pace,
    prove: (tx: MetadataWriter) => Promise<void>,
  ): Promise<number> {
    let count = 0
    let after: Digest | undefined
    for (;;) {
      const { view } = this.#metadata
      const images = await view.images.list(repository.id, { status: 'ACTIVE' }, { after, limit: STEP })
      const recent = images.filter((image) => isPickedUp(image, this.#clock.now()))
      const known = await view.scans.findMany(
        recent.map(({ id }) => id),
        'ENHANCED',
      )
      const wanted = recent.filter(({ id }) => !known.has(id))
      if (wanted.length > 0)
        await this.#metadata.transact(async (tx) => {
          await prove(tx)
          const now = this.#clock.now()
          for (const { id, digest } of wanted)
            if ((await tx.images.find(repository.id, { digest }))?.id === id)
              await tx.scans.request(id, repository.registry, 'ENHANCED', now, now)
        })
      count += wanted.length
      after = images.at(-1)?.digest
      if (images.length < STEP) return count
      await pace.rest()
    }
  }

  async *#repositories(registry: Registry): AsyncGenerator<Repository> {
    let after: RepositoryName | undefined
    for (;;) {
      const page = await this.#metadata.view.repositories.list(registry, { after, limit: STEP })
      yield* page
      after = page.at(-1)?.name
      if (page.length < STEP) return
    }
  }
}

function isPickedUp(image: Image, now: Date): boolean {
  return isScannable(image) && now.getTime() - image.pushedAt.getTime() <= PICKED_UP_MS
}
