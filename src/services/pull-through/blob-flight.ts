import { freeMemory } from '../../lib/free-memory.ts'
import type { BlobBody, ByteRange } from '../../stores/blobs.ts'

type ReadStaged = (from: number) => Promise<ReadableStream<Uint8Array>>
type ReadStored = (range?: ByteRange) => Promise<BlobBody>

/** One blob on its way, for all who want to read it meanwhile: each at its own pace, from what is stored so far. */
export class BlobFlight {
  /** Resolves once the size is known, or is known to be unknown until the end. */
  readonly begun: Promise<void>
  /** Resolves with the size once the blob is stored whole; rejects with what went wrong. */
  readonly landed: Promise<number>
  #sizeBytes: number | undefined
  #storedBytes = 0
  #readStaged: ReadStaged | undefined
  #readStored: ReadStored | undefined
  #failure: { readonly error: unknown } | undefined
  readonly #onBegun: () => void
  readonly #onBegunFailed: (error: unknown) => void
  readonly #onLanded: (sizeBytes: number) => void
  readonly #onFailed: (error: unknown) => void
  #waiting: (() => void)[] = []

  constructor() {
    const begun = Promise.withResolvers<void>()
    const landed = Promise.withResolvers<number>()
    this.begun = begun.promise
    this.landed = landed.promise
    this.#onBegun = begun.resolve
    this.#onBegunFailed = begun.reject
    this.#onLanded = landed.resolve
    this.#onFailed = landed.reject
    // Whether anybody waits is his business.
    this.begun.catch(() => undefined)
    this.landed.catch(() => undefined)
  }

  /** Known from the beginning on where the upstream says it, else once it has landed. */
  get sizeBytes(): number | undefined {
    return this.#sizeBytes
  }

  /** `readStaged`: how to read what is stored so far; absent: nothing can be read before the end. */
  begin(sizeBytes: number | undefined, readStaged: ReadStaged | undefined): void {
    this.#sizeBytes = sizeBytes
    this.#readStaged = readStaged
    this.#onBegun()
  }

  /** So much is stored. */
  advance(storedBytes: number): void {
    this.#storedBytes = storedBytes
    this.#wake()
  }

  land(sizeBytes: number, readStored: ReadStored): void {
    this.#sizeBytes = sizeBytes
    this.#readStored = readStored
    this.#onLanded(sizeBytes)
    this.#wake()
  }

  fail(error: unknown): void {
    this.#failure = { error }
    this.#onBegunFailed(error)
    this.#onFailed(error)
    this.#wake()
  }

  /**
   * A range of the bytes (both ends inclusive) as they come. The memory of a chunk is given back when the next one is asked
   * for. Throws what ended the flight.
   */
  async *read({ first, last }: ByteRange): AsyncGenerator<Uint8Array, void, void> {
    let at = first
    while (at <= last) {
      if (this.#failure !== undefined) throw this.#failure.error
      if (this.#readStored !== undefined) {
        const body = await this.#readStored({ first: at, last })
        for await (const chunk of body instanceof Blob ? body.stream() : body) {
          yield chunk
          freeMemory(chunk)
        }
        return
      }
      if (this.#readStaged === undefined || this.#storedBytes <= at) {
        await new Promise<void>((resolve) => this.#waiting.push(resolve))
        continue
      }
      const until = Math.min(this.#storedBytes, last + 1)
      // The upload may become the blob, or be dropped, between the look and the reading.
      const staged = await this.#readStaged(at).catch(() => undefined)
      if (staged === undefined) await this.#settled()
      else {
        for await (const chunk of staged) {
          const wanted = chunk.subarray(0, until - at)
          at += wanted.byteLength
          if (wanted.byteLength > 0) yield wanted
          freeMemory(chunk)
          if (at >= until) break
        }
      }
    }
  }

  async #settled(): Promise<void> {
    await this.landed.catch(() => undefined)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
}
