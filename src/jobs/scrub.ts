import { type Digest, digestAlgorithm } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import type { Clock } from '../lib/clock.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import type { LogFacts } from '../lib/logger.ts'
import type { BlobStore } from '../stores/blobs.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import { Pace } from './pace.ts'
import type { Job } from './runner.ts'

const STEP = 50
/** So many blobs missing in a row at the start mean that the store is not there, and not that blobs are lost. */
const MISSING_AT_START_MAX = 20

/** A blob claimed less than this ago is left alone: a push is bringing its bytes. */
const CLAIM_MS = 15 * 60 * 1000

export type BlobFault = 'corrupt' | 'missing'

export interface ScrubReport {
  readonly isDryRun: boolean
  readonly checkedBlobs: number
  readonly checkedBytes: number
  readonly faults: readonly { readonly digest: Digest; readonly fault: BlobFault }[]
  readonly tookMs: number
}

/**
 * Reads every blob again and compares it with its digest. A corrupt one is quarantined, and the record of a corrupt or
 * missing one dropped: pulls then say that it is not there, and the next push of the same layer brings it back.
 */
export class Scrub implements Job<ScrubReport> {
  readonly name = 'scrub'
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #clock: Clock

  constructor(metadata: MetadataStore, blobs: BlobStore, clock: Clock) {
    this.#metadata = metadata
    this.#blobs = blobs
    this.#clock = clock
  }

  /** Throws when the blob store as a whole seems to be away. */
  run(signal: AbortSignal): Promise<ScrubReport> {
    return this.#run(signal, false)
  }

  /** The same, but it only reports. */
  dryRun(signal: AbortSignal): Promise<ScrubReport> {
    return this.#run(signal, true)
  }

  summary({ checkedBlobs, checkedBytes, faults, tookMs }: ScrubReport): LogFacts {
    return { checkedBlobs, checkedBytes, faults: faults.length, tookMs }
  }

  async #run(signal: AbortSignal, isDryRun: boolean): Promise<ScrubReport> {
    const startedAt = this.#clock.now().getTime()
    const pace = new Pace(signal)
    const faults: { digest: Digest; fault: BlobFault }[] = []
    let checkedBlobs = 0
    let checkedBytes = 0
    let after: Digest | undefined
    await this.#blobs.checkReady()
    for (;;) {
      const page = await this.#metadata.view.blobs.list({ after, limit: STEP })
      if (page.length === 0) break
      for (const { digest, sizeBytes, linkCount } of page) {
        after = digest
        if (linkCount === 0) continue
        const fault = await this.#faultOf(digest, pace)
        checkedBlobs++
        checkedBytes += sizeBytes
        if (fault === undefined) continue
        faults.push({ digest, fault })
        if (
          faults.length === checkedBlobs &&
          checkedBlobs >= MISSING_AT_START_MAX &&
          faults.every((one) => one.fault === 'missing')
        )
          throw new Error(
            'None of the first blobs is in the store: it seems to be another one, or not mounted. Nothing was changed.',
          )
      }
      await pace.rest()
    }
    if (!isDryRun) for (const { digest, fault } of faults) await this.#setAside(digest, fault, pace)
    return { isDryRun, checkedBlobs, checkedBytes, faults, tookMs: this.#clock.now().getTime() - startedAt }
  }

  async #faultOf(digest: Digest, pace: Pace): Promise<BlobFault | undefined> {
    try {
      const hash = new RunningHash(digestAlgorithm(digest))
      const body = await this.#blobs.read(digest)
      for await (const chunk of body instanceof Blob ? body.stream() : body) {
        hash.update(chunk)
        if (hash.sizeBytes % (64 * 1024 * 1024) < chunk.byteLength) await pace.rest()
      }
      return hash.digest() === digest ? undefined : 'corrupt'
    } catch (thrown) {
      if (isRegistryError(thrown, 'blob-not-found')) return this.#missingUnlessDeleted(digest)
      throw thrown
    }
  }

  /** A collection may have taken the blob between the listing and the look. */
  async #missingUnlessDeleted(digest: Digest): Promise<BlobFault | undefined> {
    return (await this.#metadata.view.blobs.exists(digest)) ? 'missing' : undefined
  }

  async #setAside(digest: Digest, fault: BlobFault, pace: Pace): Promise<void> {
    // Looked at again: a push may have brought good bytes since.
    if ((await this.#faultOf(digest, pace)) !== fault) return
    const before = new Date(this.#clock.now().getTime() - CLAIM_MS)
    if (!(await this.#metadata.transact((tx) => tx.blobs.lose(digest, before)))) return
    await this.#blobs.quarantine(digest)
    await this.#metadata.transact((tx) => tx.blobs.forget(digest))
  }
}
