import type { Digest } from '../../domain/digest.ts'
import { uploadNotFound, uploadRangeInvalid } from '../../domain/errors.ts'
import { vaultOfUpload } from '../../domain/upload.ts'
import { type BlobAddress, PLAIN, type Vault } from '../../domain/vault.ts'
import { SealBroken } from '../../lib/master-key.ts'
import type { BlobBody, BlobDriver, BlobInfo, BlobStore, ByteRange, UploadKey } from '../blobs.ts'
import type { VaultKeys } from '../vault-keys.ts'
import { ChunkFiller } from './chunk-filler.ts'
import { BlobSealer, CHUNK_BYTES, HEADER_BYTES, SealedSizes, wrappedKeyIn } from './sealed-format.ts'
import { SealedReader } from './sealed-reader.ts'

/** The staged bytes of an upload, as far as they are good. */
interface Staged {
  readonly sizes: SealedSizes
  readonly sealer: BlobSealer
  readonly chunks: number
  /** What begins the next chunk. */
  readonly tail: Uint8Array
  readonly storedBytes: number
}

/**
 * Any driver, with the content of vaults encrypted in it (see `sealed-format.ts`): staged bytes from the first one on,
 * each blob by a data key of its own. What is in the plain vault passes by untouched. Content that was changed in the
 * store throws `SealBroken` where it is read, at the latest in the middle of a body; a key that cannot be used throws what
 * `VaultKeys` throws. Finding, listing, deleting and aborting need no key.
 */
export class SealedBlobStore implements BlobStore {
  readonly #driver: BlobDriver
  readonly #keys: VaultKeys
  readonly #reader: SealedReader

  constructor(driver: BlobDriver, keys: VaultKeys) {
    this.#driver = driver
    this.#keys = keys
    this.#reader = new SealedReader(driver, keys)
  }

  async find(address: BlobAddress): Promise<BlobInfo | undefined> {
    const stored = await this.#driver.find(address)
    return stored && shown(stored)
  }

  async read(address: BlobAddress, range?: ByteRange): Promise<BlobBody> {
    return address.vault === PLAIN ? this.#driver.read(address, range) : this.#reader.read(address, range)
  }

  async startUpload(vault: Vault): Promise<UploadKey> {
    if (vault === PLAIN) return this.#driver.startUpload(vault)
    const { key: dataKey, wrapped } = await this.#keys.make(vault)
    const header = new BlobSealer(dataKey).header(vault, wrapped)
    const key = await this.#driver.startUpload(vault)
    await this.#driver.append(key, 0, only(header))
    return key
  }

  async uploadSize(key: UploadKey): Promise<number | undefined> {
    const storedBytes = await this.#driver.uploadSize(key)
    const vault = vaultOfUpload(key)
    if (storedBytes === undefined || vault === undefined || vault === PLAIN) return storedBytes
    if (storedBytes < HEADER_BYTES) return undefined
    const sizes = new SealedSizes(vault)
    const { chunks } = sizes.split(storedBytes)
    return chunks * CHUNK_BYTES + sizes.notedBytes(await this.#driver.note(key), chunks)
  }

  async append(key: UploadKey, offset: number, body: AsyncIterable<Uint8Array>): Promise<number> {
    if (isPlain(key)) return this.#driver.append(key, offset, body)
    const staged = await this.#staged(key)
    if (staged === undefined) throw uploadNotFound(key)
    const { sizes, sealer, chunks, tail } = staged
    const sizeBytes = chunks * CHUNK_BYTES + tail.byteLength
    if (offset !== sizeBytes) throw uploadRangeInvalid(offset, sizeBytes)
    const boundary = await this.#cut(key, staged)
    const filler = new ChunkFiller(sealer, chunks, tail)
    const storedBytes = await this.#driver.append(key, boundary, filler.chunksOf(body))
    const whole = sizes.split(storedBytes).chunks
    if (filler.rest.byteLength > 0) await this.#driver.putNote(key, sealer.sealNote(filler.rest, whole))
    // What was received is kept: only now may the body's failure be told.
    if (filler.failure !== undefined) throw filler.failure.error
    return whole * CHUNK_BYTES + filler.rest.byteLength
  }

  async readUpload(key: UploadKey, from = 0): Promise<ReadableStream<Uint8Array>> {
    if (isPlain(key)) return this.#driver.readUpload(key, from)
    const staged = await this.#staged(key)
    if (staged === undefined) throw uploadNotFound(key)
    const { sizes, sealer, chunks, tail } = staged
    const stored = await this.#driver.readUpload(key)
    return this.#reader.staged(stored, sizes, sealer, chunks, tail, () => this.#spoilt(key), from)
  }

  async commit(key: UploadKey, digest: Digest): Promise<BlobInfo> {
    if (isPlain(key)) return this.#driver.commit(key, digest)
    const staged = await this.#staged(key)
    if (staged !== undefined) {
      const { sealer, chunks, tail } = staged
      const boundary = await this.#cut(key, staged)
      await this.#driver.append(key, boundary, only(sealer.sealLast(tail, chunks, digest)))
    }
    return shown(await this.#driver.commit(key, digest))
  }

  abort(key: UploadKey): Promise<void> {
    return this.#driver.abort(key)
  }

  delete(address: BlobAddress): Promise<void> {
    return this.#driver.delete(address)
  }

  quarantine(address: BlobAddress): Promise<void> {
    return this.#driver.quarantine(address)
  }

  async *list(): AsyncGenerator<BlobInfo, void, void> {
    for await (const stored of this.#driver.list()) yield shown(stored)
  }

  listUploads(): AsyncIterable<{ readonly key: UploadKey; readonly touchedAt: Date }> {
    return this.#driver.listUploads()
  }

  checkReady(): Promise<void> {
    return this.#driver.checkReady()
  }

  close(): Promise<void> {
    return this.#driver.close()
  }

  /** `undefined`: there is no such upload, or it died before it had its header, or power was lost and spoilt it. */
  async #staged(key: UploadKey): Promise<Staged | undefined> {
    const vault = vaultOfUpload(key)
    const storedBytes = await this.#driver.uploadSize(key)
    if (vault === undefined || storedBytes === undefined || storedBytes < HEADER_BYTES) return undefined
    const sizes = new SealedSizes(vault)
    const { chunks } = sizes.split(storedBytes)
    const note = await this.#driver.note(key)
    try {
      const header = await this.#reader.firstBytes(await this.#driver.readUpload(key), HEADER_BYTES)
      const sealer = new BlobSealer(await this.#keys.unwrap(vault, wrappedKeyIn(header, vault)))
      sealer.checkHeader(header, vault)
      const isNoted = note !== undefined && sizes.notedBytes(note, chunks) > 0
      const tail = isNoted ? sealer.openNote(note, chunks) : new Uint8Array(0)
      return { sizes, sealer, chunks, tail, storedBytes }
    } catch (thrown) {
      if (!(thrown instanceof SealBroken)) throw thrown
      await this.#driver.abort(key)
      return undefined
    }
  }

  /** Staged bytes that do not open are of no use to anybody: the client begins anew. */
  async #spoilt(key: UploadKey): Promise<Error> {
    await this.#driver.abort(key)
    return uploadNotFound(key)
  }

  /** Drops what a crash or a failed write has left behind the last whole chunk, and answers where that one ends. */
  async #cut(key: UploadKey, { sizes, chunks, storedBytes }: Staged): Promise<number> {
    const boundary = sizes.offsetOf(chunks)
    if (storedBytes > boundary) await this.#driver.cutUpload(key, boundary)
    return boundary
  }
}

/** The same blob, with the size of its content. */
function shown(stored: BlobInfo): BlobInfo {
  if (stored.vault === PLAIN) return stored
  return { ...stored, sizeBytes: new SealedSizes(stored.vault).plainBytes(stored.sizeBytes) }
}

/** A key that no store has made is the driver's to refuse. */
function isPlain(key: UploadKey): boolean {
  return (vaultOfUpload(key) ?? PLAIN) === PLAIN
}

async function* only(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes
}
