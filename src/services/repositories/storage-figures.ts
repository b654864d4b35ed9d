import type { RepositoryRef } from '../../domain/names.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'

/** What one repository takes of the disk. Encryption adds a little that is not counted. */
export interface RepositoryFigures {
  readonly id: number
  readonly ref: RepositoryRef
  readonly imageCount: number
  blobCount: number
  /** Of all blobs it holds. */
  sizeBytes: number
  /** Of those that no other repository holds: what its deletion would free. */
  ownBytes: number
  /** Each blob divided by how many repositories hold it: all shares together are what is stored. */
  shareBytes: number
}

export interface StorageFigures {
  readonly at: Date
  readonly repositories: readonly RepositoryFigures[]
  readonly blobCount: number
  /** What lies on the disk. */
  readonly storedBytes: number
  /** What the repositories hold together, each counted by itself. */
  readonly heldBytes: number
}

/** How many records a step reads: some milliseconds. */
const STEP = 1000
/** How long a step is followed by rest, as a multiple of what it took. */
const REST_FACTOR = 1
const FRESH_MS = 300_000

/** Sums up what repositories hold. Walks through everything, in steps with rests between, when somebody asks and it was long ago. */
export class StorageAccounts {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  #last: StorageFigures | undefined
  #walk: Promise<StorageFigures> | undefined

  constructor(metadata: MetadataStore, clock: Clock) {
    this.#metadata = metadata
    this.#clock = clock
  }

  /** What was found last, and not long ago; otherwise a walk is begun, and waited for at most so long. `undefined`: it is not done. */
  async recent(waitMs: number): Promise<StorageFigures | undefined> {
    const last = this.#last
    if (last !== undefined && Math.abs(this.#clock.now().getTime() - last.at.getTime()) < FRESH_MS) return last
    const walk = this.fresh()
    walk.catch(() => undefined)
    return Promise.race([walk, Bun.sleep(waitMs).then(() => last)])
  }

  /** As it is now; who asks while somebody else waits for it gets the same. */
  fresh(): Promise<StorageFigures> {
    this.#walk ??= this.#sumUp().finally(() => {
      this.#walk = undefined
    })
    return this.#walk
  }

  async #sumUp(): Promise<StorageFigures> {
    const at = this.#clock.now()
    const { figures } = this.#metadata.view
    const byId = new Map<number, RepositoryFigures>()
    for (let after = 0; ; ) {
      const page = await rested(() => figures.listRepositories(after, STEP))
      for (const { id, ref, imageCount } of page)
        byId.set(id, { id, ref, imageCount, blobCount: 0, sizeBytes: 0, ownBytes: 0, shareBytes: 0 })
      after = page.at(-1)?.id ?? after
      if (page.length < STEP) break
    }
    let heldBytes = 0
    for (let after = { repositoryId: 0, digest: '' }; ; ) {
      const { sums, next } = await rested(() => figures.sumLinks(after, STEP))
      for (const { repositoryId, blobCount, sizeBytes, ownBytes, shareBytes } of sums) {
        const of = byId.get(repositoryId)
        // Deleted, and not purged yet.
        if (of === undefined) continue
        of.blobCount += blobCount
        of.sizeBytes += sizeBytes
        of.ownBytes += ownBytes
        of.shareBytes += shareBytes
        heldBytes += sizeBytes
      }
      if (next === undefined) break
      after = next
    }
    let [blobCount, storedBytes] = [0, 0]
    for (let after: Parameters<typeof figures.sumBlobs>[0]; ; ) {
      const step = await rested(() => figures.sumBlobs(after, STEP))
      blobCount += step.blobCount
      storedBytes += step.sizeBytes
      after = step.next
      if (after === undefined) break
    }
    this.#last = { at, repositories: [...byId.values()], blobCount, storedBytes, heldBytes }
    return this.#last
  }
}

async function rested<T>(step: () => Promise<T>): Promise<T> {
  const startedMs = performance.now()
  const result = await step()
  await Bun.sleep((performance.now() - startedMs) * REST_FACTOR)
  return result
}
