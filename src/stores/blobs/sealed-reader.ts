import { blobNotFound } from '../../domain/errors.ts'
import type { BlobAddress } from '../../domain/vault.ts'
import { freeMemory } from '../../lib/free-memory.ts'
import { SealBroken } from '../../lib/master-key.ts'
import type { BlobBody, BlobDriver, ByteRange } from '../blobs.ts'
import type { VaultKeys } from '../vault-keys.ts'
import { BlobSealer, CHUNK_BYTES, HEADER_BYTES, SealedSizes, wrappedKeyIn } from './sealed-format.ts'

/** Bodies up to this size are made at once: the server then tells their length, which it does of no stream. */
const AT_ONCE_BYTES = 4 * CHUNK_BYTES

/** A blob that is put anew while it is being opened is opened again; so many times it cannot happen by chance. */
const ATTEMPTS_MAX = 3

/** A sealed blob that was found genuine as a whole: its header, its size, its digest. */
interface Opened {
  readonly address: BlobAddress
  readonly sizes: SealedSizes
  readonly sealer: BlobSealer
  readonly sizeBytes: number
  readonly lastChunk: number
  /** The content of the last chunk. */
  readonly last: Uint8Array<ArrayBuffer>
}

/** Reads sealed blobs: only the chunks that a range needs, and of large ones each only when the reader takes it. */
export class SealedReader {
  readonly #driver: BlobDriver
  readonly #keys: VaultKeys

  constructor(driver: BlobDriver, keys: VaultKeys) {
    this.#driver = driver
    this.#keys = keys
  }

  /** Throws `blob-not-found`, `SealBroken`, and what the keys throw. */
  async read(address: BlobAddress, range: ByteRange | undefined): Promise<BlobBody> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#read(address, range)
      } catch (thrown) {
        if (!(thrown instanceof SealBroken) || attempt === ATTEMPTS_MAX) throw thrown
      }
    }
  }

  /** The content of a staged upload: its whole chunks, then `tail`. `whenBroken` makes the error of chunks that do not open; `from`: behind how many bytes it begins. */
  staged(
    stored: ReadableStream<Uint8Array>,
    sizes: SealedSizes,
    sealer: BlobSealer,
    chunks: number,
    tail: Uint8Array,
    whenBroken: () => Promise<Error>,
    from = 0,
  ): ReadableStream<Uint8Array> {
    async function* content(): AsyncGenerator<Uint8Array, void, void> {
      const frames = framesOf(stored, HEADER_BYTES, sizes.frameBytes)
      let chunk = 0
      try {
        for await (const frame of frames) {
          if (chunk === chunks) break
          const plain = sealer.openChunk(frame, chunk)
          yield behind(plain, from - CHUNK_BYTES * chunk++)
        }
      } catch (thrown) {
        throw thrown instanceof SealBroken ? await whenBroken() : thrown
      }
      if (tail.byteLength > 0) yield behind(tail, from - CHUNK_BYTES * chunks)
    }
    return streamOf(content())
  }

  /** The first bytes of a stream, of which the rest is dropped; fewer when it is shorter. */
  async firstBytes(stream: ReadableStream<Uint8Array>, bytes: number): Promise<Uint8Array> {
    for await (const frame of framesOf(stream, 0, bytes)) return frame
    return new Uint8Array(0)
  }

  async #read(address: BlobAddress, range: ByteRange | undefined): Promise<BlobBody> {
    const opened = await this.#open(address)
    const { sizeBytes, lastChunk, last } = opened
    const { first, last: lastByte } = range ?? { first: 0, last: sizeBytes - 1 }
    const firstChunk = Math.floor(first / CHUNK_BYTES)
    if (firstChunk === lastChunk || sizeBytes === 0)
      return new Blob([last.subarray(first - lastChunk * CHUNK_BYTES, lastByte + 1 - lastChunk * CHUNK_BYTES)])
    const content = this.#content(opened, first, lastByte)
    if (lastByte - first < AT_ONCE_BYTES) return new Blob(await Array.fromAsync(content))
    // From the first chunk on, the driver has the blob open: whatever becomes of it, this body is delivered.
    const begun = await content.next()
    return streamOf(content, begun.done === true ? undefined : begun.value)
  }

  async #open(address: BlobAddress): Promise<Opened> {
    const { vault, digest } = address
    const stored = await this.#driver.find(address)
    if (stored === undefined) throw blobNotFound(digest)
    const sizes = new SealedSizes(vault)
    const { chunks: lastChunk, restBytes } = sizes.split(stored.sizeBytes)
    if (restBytes < sizes.sealBytes) throw new SealBroken(`The blob ${digest} is cut off`)
    const header = await this.#bytes(address, 0, HEADER_BYTES)
    const sealer = new BlobSealer(await this.#keys.unwrap(vault, wrappedKeyIn(header, vault)))
    sealer.checkHeader(header, vault)
    const frame = await this.#bytes(address, sizes.offsetOf(lastChunk), stored.sizeBytes)
    const last = sealer.openLast(frame, lastChunk, digest)
    return { address, sizes, sealer, sizeBytes: lastChunk * CHUNK_BYTES + last.byteLength, lastChunk, last }
  }

  async #bytes(address: BlobAddress, from: number, to: number): Promise<Uint8Array> {
    const body = await this.#driver.read(address, { first: from, last: to - 1 })
    return body instanceof Blob ? body.bytes() : new Response(body).bytes()
  }

  async *#content(
    opened: Opened,
    first: number,
    lastByte: number,
  ): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
    const { address, sizes, sealer, lastChunk, last } = opened
    const from = Math.floor(first / CHUNK_BYTES)
    const to = Math.floor(lastByte / CHUNK_BYTES)
    const inFile = { first: sizes.offsetOf(from), last: sizes.offsetOf(Math.min(to + 1, lastChunk)) - 1 }
    const body = await this.#driver.read(address, inFile)
    const cut = (plain: Uint8Array<ArrayBuffer>, chunk: number) =>
      plain.subarray(Math.max(0, first - chunk * CHUNK_BYTES), lastByte + 1 - chunk * CHUNK_BYTES)
    let chunk = from
    for await (const frame of framesOf(body instanceof Blob ? body.stream() : body, 0, sizes.frameBytes)) {
      const plain = sealer.openChunk(frame, chunk)
      yield cut(plain, chunk++)
    }
    if (chunk !== Math.min(to + 1, lastChunk)) throw new SealBroken(`The blob ${address.digest} is cut off`)
    if (to === lastChunk) yield cut(last, lastChunk)
  }
}

/**
 * A stream in frames of one size, behind its first `skipBytes`; the last frame may be shorter. A frame is read before the
 * next one is asked for, and its memory then used again.
 */
async function* framesOf(
  stream: ReadableStream<Uint8Array>,
  skipBytes: number,
  frameBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  const frame = new Uint8Array(frameBytes)
  let filledBytes = 0
  let toSkipBytes = skipBytes
  for await (const part of stream) {
    let from = Math.min(toSkipBytes, part.byteLength)
    toSkipBytes -= from
    while (from < part.byteLength) {
      const bytes = part.subarray(from, from + frameBytes - filledBytes)
      from += bytes.byteLength
      if (bytes.byteLength === frameBytes) {
        yield bytes
        continue
      }
      frame.set(bytes, filledBytes)
      filledBytes += bytes.byteLength
      if (filledBytes < frameBytes) continue
      filledBytes = 0
      yield frame
    }
    freeMemory(part)
  }
  if (filledBytes > 0) yield frame.subarray(0, filledBytes)
}

const behind = (bytes: Uint8Array, skipBytes: number) =>
  bytes.subarray(Math.min(Math.max(0, skipBytes), bytes.byteLength))

/** A body that is made no faster than it is taken. `begun` is what was taken from it already. */
function streamOf(content: AsyncGenerator<Uint8Array, void, void>, begun?: Uint8Array): ReadableStream<Uint8Array> {
  let waiting = begun
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = waiting === undefined ? await content.next() : { done: false, value: waiting }
        waiting = undefined
        if (next.done === true || next.value === undefined) controller.close()
        else controller.enqueue(next.value)
      },
      async cancel() {
        await content.return()
      },
    },
    { highWaterMark: 0 },
  )
}
