import { type Digest, parseDigest } from '../../domain/digest.ts'
import {
  blobNotFound,
  rangeNotSatisfiable,
  uploadBusy,
  uploadNotFound,
  uploadRangeInvalid,
} from '../../domain/errors.ts'
import type { BlobBody, BlobInfo, BlobStore, ByteRange, UploadKey } from '../blobs.ts'

/**
 * Any driver, with the checks that all of them need: digests are digests (`digest-invalid`), ranges lie within the blob
 * (`range-not-satisfiable`), offsets are whole numbers (`upload-range-invalid`), and of two calls in this process that
 * would write to or commit one upload at once, the second is refused (`upload-busy`).
 */
export class CheckedBlobStore implements BlobStore {
  readonly #driver: BlobStore
  readonly #busy = new Set<UploadKey>()

  constructor(driver: BlobStore) {
    this.#driver = driver
  }

  async find(digest: Digest): Promise<BlobInfo | undefined> {
    return this.#driver.find(parseDigest(digest))
  }

  async read(digest: Digest, range?: ByteRange): Promise<BlobBody> {
    if (range === undefined) return this.#driver.read(parseDigest(digest))
    const info = await this.find(digest)
    if (info === undefined) throw blobNotFound(digest)
    const { first, last } = range
    const isWithin = isCount(first) && isCount(last) && first <= last && last < info.sizeBytes
    if (!isWithin) throw rangeNotSatisfiable(info.sizeBytes)
    return this.#driver.read(digest, range)
  }

  startUpload(): Promise<UploadKey> {
    return this.#driver.startUpload()
  }

  uploadSize(key: UploadKey): Promise<number | undefined> {
    return this.#driver.uploadSize(key)
  }

  async append(key: UploadKey, offset: number, body: AsyncIterable<Uint8Array>): Promise<number> {
    return this.#alone(key, async () => {
      if (isCount(offset)) return this.#driver.append(key, offset, body)
      const sizeBytes = await this.#driver.uploadSize(key)
      throw sizeBytes === undefined ? uploadNotFound(key) : uploadRangeInvalid(offset, sizeBytes)
    })
  }

  readUpload(key: UploadKey): Promise<ReadableStream<Uint8Array>> {
    return this.#driver.readUpload(key)
  }

  async commit(key: UploadKey, digest: Digest): Promise<BlobInfo> {
    return this.#alone(key, () => this.#driver.commit(key, parseDigest(digest)))
  }

  abort(key: UploadKey): Promise<void> {
    return this.#driver.abort(key)
  }

  async delete(digest: Digest): Promise<void> {
    return this.#driver.delete(parseDigest(digest))
  }

  async quarantine(digest: Digest): Promise<void> {
    return this.#driver.quarantine(parseDigest(digest))
  }

  list(): AsyncIterable<BlobInfo> {
    return this.#driver.list()
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

  /** Bytes that come in while others are written or committed would end up under a digest that is not theirs. */
  async #alone<T>(key: UploadKey, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(key)) throw uploadBusy(key)
    this.#busy.add(key)
    try {
      return await work()
    } finally {
      this.#busy.delete(key)
    }
  }
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
