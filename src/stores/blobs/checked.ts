import { type Digest, parseDigest } from '../../domain/digest.ts'
import {
  blobNotFound,
  rangeNotSatisfiable,
  uploadBusy,
  uploadNotFound,
  uploadRangeInvalid,
} from '../../domain/errors.ts'
import { type BlobAddress, tryParseVault, type Vault } from '../../domain/vault.ts'
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

  async find(address: BlobAddress): Promise<BlobInfo | undefined> {
    return this.#driver.find(checked(address))
  }

  async read(address: BlobAddress, range?: ByteRange): Promise<BlobBody> {
    if (range === undefined) return this.#driver.read(checked(address))
    const info = await this.find(address)
    if (info === undefined) throw blobNotFound(address.digest)
    const { first, last } = range
    const isWithin = isCount(first) && isCount(last) && first <= last && last < info.sizeBytes
    if (!isWithin) throw rangeNotSatisfiable(info.sizeBytes)
    return this.#driver.read(address, range)
  }

  startUpload(vault: Vault): Promise<UploadKey> {
    return this.#driver.startUpload(vault)
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

  readUpload(key: UploadKey, from?: number): Promise<ReadableStream<Uint8Array>> {
    return this.#driver.readUpload(key, from)
  }

  async commit(key: UploadKey, digest: Digest): Promise<BlobInfo> {
    return this.#alone(key, () => this.#driver.commit(key, parseDigest(digest)))
  }

  abort(key: UploadKey): Promise<void> {
    return this.#driver.abort(key)
  }

  async delete(address: BlobAddress): Promise<void> {
    return this.#driver.delete(checked(address))
  }

  async quarantine(address: BlobAddress): Promise<void> {
    return this.#driver.quarantine(checked(address))
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

/** Throws `digest-invalid`; a vault of no known form is a mistake of ours. */
function checked(address: BlobAddress): BlobAddress {
  parseDigest(address.digest)
  if (tryParseVault(address.vault) === undefined) throw new Error('The address of a blob names no vault')
  return address
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
