import type { Digest } from '../../domain/digest.ts'
import { blobNotFound, uploadNotFound, uploadRangeInvalid } from '../../domain/errors.ts'
import { vaultOfUpload } from '../../domain/upload.ts'
import { type BlobAddress, PLAIN, type Vault } from '../../domain/vault.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import type { BlobBody, BlobDriver, BlobInfo, ByteRange, UploadKey } from '../blobs.ts'
import { newUploadKey } from './upload-keys.ts'

/** Staged bytes are kept in pieces of this size, however small the chunks are that they come in. */
const PIECE_BYTES = 1024 * 1024

interface StagedUpload {
  /** All full, except the last. */
  readonly pieces: Uint8Array<ArrayBuffer>[]
  sizeBytes: number
  touchedAt: Date
  note: Uint8Array | undefined
}

interface StoredBlob {
  readonly info: BlobInfo
  readonly content: Blob
}

/** Keeps blobs in the memory of the process, for registries that are to leave nothing behind. */
export class MemoryBlobStore implements BlobDriver {
  readonly #clock: Clock
  /** By vault and digest. */
  readonly #blobs = new Map<string, StoredBlob>()
  readonly #uploads = new Map<UploadKey, StagedUpload>()
  readonly #quarantine: StoredBlob[] = []

  constructor({ clock = systemClock }: { readonly clock?: Clock } = {}) {
    this.#clock = clock
  }

  async find(address: BlobAddress): Promise<BlobInfo | undefined> {
    return this.#blobs.get(nameOf(address))?.info
  }

  async read(address: BlobAddress, range?: ByteRange): Promise<BlobBody> {
    const content = this.#blobs.get(nameOf(address))?.content
    if (content === undefined) throw blobNotFound(address.digest)
    return range === undefined ? content : content.slice(range.first, range.last + 1)
  }

  async startUpload(vault: Vault): Promise<UploadKey> {
    const key = newUploadKey(vault)
    this.#uploads.set(key, { pieces: [], sizeBytes: 0, touchedAt: this.#clock.now(), note: undefined })
    return key
  }

  async uploadSize(key: UploadKey): Promise<number | undefined> {
    return this.#uploads.get(key)?.sizeBytes
  }

  async append(key: UploadKey, offset: number, body: AsyncIterable<Uint8Array>): Promise<number> {
    const upload = this.#upload(key)
    if (offset !== upload.sizeBytes) throw uploadRangeInvalid(offset, upload.sizeBytes)
    try {
      for await (const chunk of body) copyInto(upload, chunk)
    } finally {
      upload.touchedAt = this.#clock.now()
    }
    return upload.sizeBytes
  }

  async readUpload(key: UploadKey, from = 0): Promise<ReadableStream<Uint8Array>> {
    // A blob copies its parts: of what is not wanted, none is made.
    const { pieces, sizeBytes } = this.#upload(key)
    const skipped = Math.min(Math.floor(from / PIECE_BYTES), pieces.length)
    const rest = { pieces: pieces.slice(skipped), sizeBytes: sizeBytes - skipped * PIECE_BYTES }
    return contentOf(rest)
      .slice(from - skipped * PIECE_BYTES)
      .stream()
  }

  async cutUpload(key: UploadKey, sizeBytes: number): Promise<void> {
    const upload = this.#upload(key)
    upload.pieces.length = Math.ceil(sizeBytes / PIECE_BYTES)
    upload.sizeBytes = sizeBytes
  }

  async note(key: UploadKey): Promise<Uint8Array | undefined> {
    return this.#uploads.get(key)?.note
  }

  async putNote(key: UploadKey, note: Uint8Array): Promise<void> {
    this.#upload(key).note = note
  }

  async commit(key: UploadKey, digest: Digest): Promise<BlobInfo> {
    const address = { vault: vaultOfUpload(key) ?? PLAIN, digest }
    const upload = this.#uploads.get(key)
    if (upload !== undefined) {
      const info = { ...address, sizeBytes: upload.sizeBytes, storedAt: this.#clock.now() }
      this.#blobs.set(nameOf(address), { info, content: contentOf(upload) })
      this.#uploads.delete(key)
    }
    const stored = this.#blobs.get(nameOf(address))
    if (stored === undefined) throw uploadNotFound(key)
    return stored.info
  }

  async abort(key: UploadKey): Promise<void> {
    this.#uploads.delete(key)
  }

  async delete(address: BlobAddress): Promise<void> {
    this.#blobs.delete(nameOf(address))
  }

  async quarantine(address: BlobAddress): Promise<void> {
    const stored = this.#blobs.get(nameOf(address))
    if (stored === undefined) return
    this.#quarantine.push(stored)
    this.#blobs.delete(nameOf(address))
  }

  async *list(): AsyncGenerator<BlobInfo, void, void> {
    for (const { info } of this.#blobs.values()) yield info
  }

  async *listUploads(): AsyncGenerator<{ readonly key: UploadKey; readonly touchedAt: Date }, void, void> {
    for (const [key, { touchedAt }] of this.#uploads) yield { key, touchedAt }
  }

  async checkReady(): Promise<void> {}

  async close(): Promise<void> {}

  #upload(key: UploadKey): StagedUpload {
    const upload = this.#uploads.get(key)
    if (upload === undefined) throw uploadNotFound(key)
    return upload
  }
}

function nameOf({ vault, digest }: BlobAddress): string {
  return `${vault}/${digest}`
}

function copyInto(upload: StagedUpload, chunk: Uint8Array): void {
  let rest = chunk
  while (rest.byteLength > 0) {
    const filledBytes = upload.sizeBytes % PIECE_BYTES
    if (filledBytes === 0) upload.pieces.push(new Uint8Array(PIECE_BYTES))
    const part = rest.subarray(0, PIECE_BYTES - filledBytes)
    upload.pieces.at(-1)?.set(part, filledBytes)
    upload.sizeBytes += part.byteLength
    rest = rest.subarray(part.byteLength)
  }
}

function contentOf({ pieces, sizeBytes }: Pick<StagedUpload, 'pieces' | 'sizeBytes'>): Blob {
  const lastBytes = sizeBytes % PIECE_BYTES
  const last = lastBytes === 0 ? undefined : pieces.at(-1)?.subarray(0, lastBytes)
  return new Blob(last === undefined ? pieces : [...pieces.slice(0, -1), last])
}
