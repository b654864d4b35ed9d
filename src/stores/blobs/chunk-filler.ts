import { freeMemory } from '../../lib/free-memory.ts'
import { type BlobSealer, CHUNK_BYTES } from './sealed-format.ts'

/**
 * Cuts a body into whole chunks and seals them, as fast as they are taken. What does not fill a chunk is left over in
 * `rest`. A body that fails ends the chunks like one that is over, so that what it brought is kept; `failure` tells.
 */
export class ChunkFiller {
  readonly #sealer: BlobSealer
  readonly #begun = new Uint8Array(CHUNK_BYTES)
  #begunBytes: number
  #chunk: number
  #failure: { readonly error: unknown } | undefined

  /** Begins with the chunk of that number, of which `tail` is there already. */
  constructor(sealer: BlobSealer, chunk: number, tail: Uint8Array) {
    this.#sealer = sealer
    this.#chunk = chunk
    this.#begun.set(tail)
    this.#begunBytes = tail.byteLength
  }

  get rest(): Uint8Array {
    return this.#begun.subarray(0, this.#begunBytes)
  }

  get failure(): { readonly error: unknown } | undefined {
    return this.#failure
  }

  /** The memory of the body's parts is given back once they are sealed. */
  async *chunksOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    const parts = body[Symbol.asyncIterator]()
    let isOver = false
    try {
      for (;;) {
        const next = await this.#next(parts)
        if (next === undefined) {
          isOver = true
          return
        }
        yield* this.#fill(next)
        freeMemory(next)
      }
    } finally {
      // The store takes no more: neither does the body's source go on.
      if (!isOver) await parts.return?.()
    }
  }

  async #next(parts: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
    try {
      const { done, value } = await parts.next()
      return done === true ? undefined : value
    } catch (error) {
      this.#failure = { error }
      return undefined
    }
  }

  *#fill(part: Uint8Array): Generator<Uint8Array, void, void> {
    let from = 0
    while (from < part.byteLength) {
      const bytes = part.subarray(from, from + CHUNK_BYTES - this.#begunBytes)
      from += bytes.byteLength
      if (bytes.byteLength === CHUNK_BYTES) {
        yield this.#sealer.sealChunk(bytes, this.#chunk++)
        continue
      }
      this.#begun.set(bytes, this.#begunBytes)
      this.#begunBytes += bytes.byteLength
      if (this.#begunBytes < CHUNK_BYTES) continue
      this.#begunBytes = 0
      yield this.#sealer.sealChunk(this.#begun, this.#chunk++)
    }
  }
}
