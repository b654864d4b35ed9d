import type { Digest } from '../../domain/digest.ts'
import { limitExceeded, repositoryNotFound } from '../../domain/errors.ts'
import type { PullThroughRule } from '../../domain/pull-through.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { Repository } from '../../domain/repository.ts'
import { upstreamUnavailable } from '../../domain/upstream-errors.ts'
import { PLAIN } from '../../domain/vault.ts'
import { Budget } from '../../lib/budget.ts'
import type { Clock } from '../../lib/clock.ts'
import type { BlobStore, ByteRange, UploadKey } from '../../stores/blobs.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { claimBlob } from '../images/blob-claims.ts'
import { BlobFlight } from './blob-flight.ts'
import type { PullThroughCounts } from './pull-through-counts.ts'
import type { Upstreams } from './upstreams.ts'

/** From where a blob comes, and to where. */
export interface FlightPlan {
  readonly rule: PullThroughRule
  readonly repository: Repository
  /** What the upstream calls the repository. */
  readonly upstreamName: string
  readonly digest: Digest
  /** As a manifest says it. */
  readonly sizeBytes?: number | undefined
}

/** How many blobs come at the same time; each needs a few buffers. */
const FLIGHTS_MAX = 64
/** A step of a download: what it brings can be read by others once it is done. */
const STEP_BYTES = 1024 * 1024
const FIRST_STEP_BYTES = 64 * 1024

/** From where blobs come, and where they go. */
export interface BlobFlightParts {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly vaults: Vaults
  readonly upstreams: Upstreams
  readonly clock: Clock
  readonly counts: PullThroughCounts
}

/**
 * Blobs on their way from upstreams, each fetched once however many wait for it. A flight belongs to nobody: who asked may
 * leave, and it goes on. Its bytes go into the store as they come, and whoever wants them reads them there.
 */
export class BlobFlights {
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #vaults: Vaults
  readonly #upstreams: Upstreams
  readonly #clock: Clock
  readonly #quotas: Quotas
  readonly #counts: PullThroughCounts
  readonly #budget = new Budget(FLIGHTS_MAX)
  readonly #underWay = new Map<string, BlobFlight>()
  readonly #end = new AbortController()

  constructor(parts: BlobFlightParts, quotas: Quotas) {
    this.#metadata = parts.metadata
    this.#blobs = parts.blobs
    this.#vaults = parts.vaults
    this.#upstreams = parts.upstreams
    this.#clock = parts.clock
    this.#quotas = quotas
    this.#counts = parts.counts
  }

  /** The flight that brings the blob: the one under way, or a new one. */
  of(plan: FlightPlan): BlobFlight {
    const key = `${plan.repository.id}/${plan.digest}`
    const known = this.#underWay.get(key)
    if (known !== undefined) return known
    const flight = new BlobFlight()
    this.#underWay.set(key, flight)
    this.#fly(plan, flight)
      .catch((error: unknown) => flight.fail(error))
      .finally(() => this.#underWay.delete(key))
    return flight
  }

  /** The one under way, if there is one. */
  find(repository: Repository, digest: Digest): BlobFlight | undefined {
    return this.#underWay.get(`${repository.id}/${digest}`)
  }

  /** Ends all flights and waits for them; what they brought is dropped. */
  async close(): Promise<void> {
    this.#end.abort(upstreamUnavailable('The registry is shutting down'))
    await Promise.allSettled([...this.#underWay.values()].map((flight) => flight.landed))
  }

  async #fly(plan: FlightPlan, flight: BlobFlight): Promise<void> {
    const { signal } = this.#end
    const { rule, repository, upstreamName, digest, sizeBytes } = plan
    const give = await this.#budget.take(1, signal)
    try {
      await this.#vaults.admit(repository, 'GenerateDataKey')
      const request = { sizeBytes, signal }
      const download = await this.#upstreams.ask(rule, (registry) => registry.openBlob(upstreamName, digest, request))
      try {
        const key = await this.#blobs.startUpload(this.#vaults.vaultOf(repository))
        await this.#store(plan, key, download, flight).catch(async (error: unknown) => {
          await this.#blobs.abort(key)
          throw error
        })
      } finally {
        download.discard()
      }
    } finally {
      give()
    }
  }

  async #store(
    { rule, repository, digest }: FlightPlan,
    key: UploadKey,
    download: { readonly sizeBytes: number | undefined; bytes(): AsyncGenerator<Uint8Array, void, void> },
    flight: BlobFlight,
  ): Promise<void> {
    const vault = this.#vaults.vaultOf(repository)
    const bytes = download.bytes()
    // Sealed bytes cannot be read while they are written: those are read once they are all there.
    const isOpen = vault === PLAIN
    flight.begin(download.sizeBytes, isOpen ? (from) => this.#blobs.readUpload(key, from) : undefined)
    const sizeBytes = await this.#append(key, this.#counted(bytes, rule), flight).finally(() => bytes.return())
    const address = { vault, digest }
    await claimBlob(this.#metadata, address, this.#clock)
    await this.#blobs.commit(key, digest)
    await this.#metadata.transact(async (tx) => {
      // Deleted meanwhile, and perhaps another one made under its name.
      const known = await tx.repositories.find(repository)
      if (known?.id !== repository.id) throw repositoryNotFound(repository)
      await tx.blobs.link(repository.id, address, sizeBytes, this.#clock.now())
    })
    flight.land(sizeBytes, (range?: ByteRange) => this.#blobs.read(address, range))
  }

  async *#counted(bytes: AsyncGenerator<Uint8Array, void, void>, rule: PullThroughRule) {
    try {
      for await (const chunk of bytes) {
        this.#counts.received(rule, chunk.byteLength)
        yield chunk
      }
    } catch (error) {
      this.#counts.failed(rule, error)
      throw error
    }
  }

  async #append(key: UploadKey, bytes: AsyncGenerator<Uint8Array, void, void>, flight: BlobFlight): Promise<number> {
    let sizeBytes = 0
    for (let step = FIRST_STEP_BYTES; ; step = Math.min(step * 2, STEP_BYTES)) {
      const part = new Step(bytes, step)
      const before = sizeBytes
      sizeBytes = await this.#blobs.append(key, sizeBytes, part.bytes())
      if (sizeBytes > this.#quotas.layerBytes) throw limitExceeded(this.#quotas.layerBytes, 'bytes per layer')
      flight.advance(sizeBytes)
      if (part.isLast || sizeBytes === before) return sizeBytes
    }
  }
}

/** A part of a stream: the chunks until so many bytes have come. The stream goes on with the next part. */
class Step {
  readonly #source: AsyncGenerator<Uint8Array, void, void>
  #leftBytes: number
  isLast = false

  constructor(source: AsyncGenerator<Uint8Array, void, void>, bytes: number) {
    this.#source = source
    this.#leftBytes = bytes
  }

  async *bytes(): AsyncGenerator<Uint8Array, void, void> {
    while (this.#leftBytes > 0) {
      const next = await this.#source.next()
      if (next.done === true) {
        this.isLast = true
        return
      }
      this.#leftBytes -= next.value.byteLength
      yield next.value
    }
  }
}
