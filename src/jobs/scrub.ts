import { type Digest, digestAlgorithm } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import type { BlobAddress } from '../domain/vault.ts'
import type { Clock } from '../lib/clock.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import type { LogFacts } from '../lib/logger.ts'
import { SealBroken } from '../lib/master-key.ts'
import type { BlobStore } from '../stores/blobs.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import { Pace } from './pace.ts'
import type { Job } from './runner.ts'

const STEP = 50
/** So many blobs missing in a row at the start, or bad, mean that the store or the keys are others, and not that blobs are lost. */
const BAD_AT_START_MAX = 20

/** A blob claimed less than this ago is left alone: a push is bringing its bytes. */
const CLAIM_MS = 15 * 60 * 1000

/** `locked` is no fault of the blob: the key that encrypts it cannot be used, so nobody can say how it is. */
type BlobState = 'good' | 'corrupt' | 'missing' | 'locked'

export type BlobFault = 'corrupt' | 'missing'

const NOTHING_CHANGED: Readonly<Record<BlobFault, string>> = {
  corrupt: 'None of the first blobs can be read: the store or its keys seem to be other ones. Nothing was changed.',
  missing: 'None of the first blobs is in the store: it seems to be another one, or not mounted. Nothing was changed.',
}

export interface ScrubReport {
  readonly isDryRun: boolean
  readonly checkedBlobs: number
  readonly checkedBytes: number
  readonly faults: readonly { readonly digest: Digest; readonly fault: BlobFault }[]
  /** Those whose KMS key is disabled or gone. They stay as they are. */
  readonly lockedBlobs: number
  readonly tookMs: number
}

/**
 * Reads every blob again, decrypted if need be, and compares it with its digest. A corrupt one is quarantined, and the record of a corrupt or
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

  /** Throws when the blob store as a whole, or what decrypts it, seems to be away. */
  run(signal: AbortSignal): Promise<ScrubReport> {
    return this.#run(signal, false)
  }

  /** The same, but it only reports. */
  dryRun(signal: AbortSignal): Promise<ScrubReport> {
    return this.#run(signal, true)
  }

  summary({ checkedBlobs, checkedBytes, faults, lockedBlobs, tookMs }: ScrubReport): LogFacts {
    return { checkedBlobs, checkedBytes, faults: faults.length, lockedBlobs, tookMs }
  }

  async #run(signal: AbortSignal, isDryRun: boolean): Promise<ScrubReport> {
    const startedAt = this.#clock.now().getTime()
    const pace = new Pace(signal)
    const faults: { address: BlobAddress; fault: BlobFault }[] = []
    let lockedBlobs = 0
    let checkedBlobs = 0
    let checkedBytes = 0
    let after: BlobAddress | undefined
    await this.#blobs.checkReady()
    for (;;) {
      const page = await this.#metadata.view.blobs.list({ after, limit: STEP })
      if (page.length === 0) break
      for (const { digest, vault, sizeBytes, linkCount } of page) {
        after = { digest, vault }
        if (linkCount === 0) continue
        const state = await this.#stateOf(after, pace)
        if (state === 'locked') {
          lockedBlobs++
          continue
        }
        checkedBlobs++
        checkedBytes += sizeBytes
        if (state === 'good') continue
        faults.push({ address: after, fault: state })
        if (
          faults.length === checkedBlobs &&
          checkedBlobs >= BAD_AT_START_MAX &&
          faults.every((one) => one.fault === state)
        )
          throw new Error(NOTHING_CHANGED[state])
      }
      await pace.rest()
    }
    if (!isDryRun) for (const { address, fault } of faults) await this.#setAside(address, fault, pace)
    return {
      isDryRun,
      checkedBlobs,
      checkedBytes,
      faults: faults.map(({ address, fault }) => ({ digest: address.digest, fault })),
      lockedBlobs,
      tookMs: this.#clock.now().getTime() - startedAt,
    }
  }

  async #stateOf(address: BlobAddress, pace: Pace): Promise<BlobState> {
    const { digest } = address
    try {
      const hash = new RunningHash(digestAlgorithm(digest))
      const body = await this.#blobs.read(address)
      for await (const chunk of body instanceof Blob ? body.stream() : body) {
        hash.update(chunk)
        if (hash.sizeBytes % (64 * 1024 * 1024) < chunk.byteLength) await pace.rest()
      }
      return hash.digest() === digest ? 'good' : 'corrupt'
    } catch (thrown) {
      if (isRegistryError(thrown, 'blob-not-found')) return this.#missingUnlessDeleted(address)
      if (isRegistryError(thrown, 'kms-key-unusable')) return 'locked'
      if (thrown instanceof SealBroken) return 'corrupt'
      throw thrown
    }
  }

  /** A collection may have taken the blob between the listing and the look. */
  async #missingUnlessDeleted(address: BlobAddress): Promise<BlobState> {
    return (await this.#metadata.view.blobs.exists(address)) ? 'missing' : 'good'
  }

  async #setAside(address: BlobAddress, fault: BlobFault, pace: Pace): Promise<void> {
    // Looked at again: a push may have brought good bytes since.
    if ((await this.#stateOf(address, pace)) !== fault) return
    const before = new Date(this.#clock.now().getTime() - CLAIM_MS)
    if (!(await this.#metadata.transact((tx) => tx.blobs.lose(address, before)))) return
    await this.#blobs.quarantine(address)
    await this.#metadata.transact((tx) => tx.blobs.forget(address))
  }
}
