import { freeMemory } from '../../lib/free-memory.ts'
import { writeError } from './system-errors.ts'

/** The calls on an open file that writing behind needs; a `FileHandle` of `node:fs/promises` has them. */
export interface WritableFile {
  writev(chunks: readonly Uint8Array[], position: number): Promise<{ readonly bytesWritten: number }>
  datasync(): Promise<void>
}

/** A batch is written when the one before it is; a batch this full makes the body wait. */
const BATCH_BYTES = 1024 * 1024
/** The kernel takes at most 1024 chunks in one call. */
const BATCH_CHUNKS = 512
/** Flushing this often keeps the flush at the end short, and the thread pool free for others in between. */
const FLUSH_BYTES = 16 * 1024 * 1024
/** The most that may be written and not yet flushed: further writes wait, so that one upload cannot fill the page cache. */
const UNFLUSHED_BYTES = 3 * FLUSH_BYTES

/**
 * Appends chunks to an open file while the next ones are still being received and hashed: one batch is on its way to
 * the kernel, the next one gathers, and flushes run beside both. Holds two batches and the two chunks that overfill
 * them, however long the body is.
 *
 * Chunks belong to the writer once added: they are not copied, and freed as soon as they are written, so whoever made
 * them does not touch them again. The file stays its owner's, who closes it after `finish`.
 */
export class WriteBehind {
  readonly #file: WritableFile
  #writtenBytes: number
  #unflushedBytes: number
  #gathered: Uint8Array[] = []
  #gatheredBytes = 0
  #write: Promise<void> | undefined
  #flush: Promise<void> | undefined
  #failure: { readonly error: unknown } | undefined
  #hasFailedToFlush = false

  /** Begins at the end of a file of `sizeBytes`. */
  constructor(file: WritableFile, sizeBytes: number) {
    this.#file = file
    this.#writtenBytes = sizeBytes
    // What earlier appends left unflushed: many small ones flush as often as a large one.
    this.#unflushedBytes = sizeBytes % FLUSH_BYTES
  }

  /** How large the file is, counting what the kernel has accepted. */
  get writtenBytes(): number {
    return this.#writtenBytes
  }

  /** Whether a flush has failed: then nobody knows which of the bytes the disk holds, and a later flush will not tell. */
  get hasFailedToFlush(): boolean {
    return this.#hasFailedToFlush
  }

  /** Takes a chunk; the next one may come once the promise, if there is one, resolves. Throws when writing has failed. */
  add(chunk: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) throw this.#failure.error
    if (chunk.byteLength === 0) return undefined
    this.#gathered.push(chunk)
    this.#gatheredBytes += chunk.byteLength
    if (this.#write === undefined) this.#startWrite()
    const isFull = this.#gatheredBytes >= BATCH_BYTES || this.#gathered.length >= BATCH_CHUNKS
    return isFull ? this.#write : undefined
  }

  /** Resolves when every chunk is written and no call on the file is under way; throws what has failed. */
  async finish(): Promise<void> {
    while (this.#write !== undefined) await this.#write
    await this.#flush
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Sends off what has gathered, and again what gathers meanwhile. Its promise never rejects: `#failure` tells. */
  #startWrite(): void {
    const batch = this.#gathered
    this.#gathered = []
    this.#gatheredBytes = 0
    this.#write = this.#writeBatch(batch)
      .catch((thrown: unknown) => {
        this.#failure ??= { error: writeError(thrown) }
      })
      .then(() => {
        this.#write = undefined
        if (this.#failure === undefined && this.#gathered.length > 0) this.#startWrite()
      })
  }

  async #writeBatch(batch: readonly Uint8Array[]): Promise<void> {
    let rest = batch
    while (rest.length > 0) {
      const { bytesWritten } = await this.#file.writev(rest, this.#writtenBytes)
      if (bytesWritten === 0) throw new Error('The file takes no more bytes and does not say why')
      this.#writtenBytes += bytesWritten
      this.#unflushedBytes += bytesWritten
      rest = withoutFirst(rest, bytesWritten)
    }
    for (const chunk of batch) freeMemory(chunk)
    if (this.#unflushedBytes >= FLUSH_BYTES && this.#flush === undefined) this.#startFlush()
    if (this.#unflushedBytes >= UNFLUSHED_BYTES) await this.#flush
  }

  #startFlush(): void {
    this.#unflushedBytes = 0
    this.#flush = this.#file
      .datasync()
      .catch((thrown: unknown) => {
        this.#hasFailedToFlush = true
        this.#failure ??= { error: writeError(thrown) }
      })
      .then(() => {
        this.#flush = undefined
      })
  }
}

/** What remains of some chunks when their first bytes are gone. */
function withoutFirst(chunks: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let remaining = bytes
  for (const [index, chunk] of chunks.entries()) {
    if (remaining < chunk.byteLength) return [chunk.subarray(remaining), ...chunks.slice(index + 1)]
    remaining -= chunk.byteLength
  }
  return []
}
