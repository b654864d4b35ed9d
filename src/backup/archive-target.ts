import { rm, stat } from 'node:fs/promises'
import { parseDigest } from '../domain/digest.ts'
import { padding, TAR_END, tarHeader } from '../lib/tar-writer.ts'
import {
  ARCHIVE_FORMAT,
  type ArchiveMark,
  blobEntryName,
  isNamedByContent,
  listed,
  NO_SUM,
  SUM,
} from './archive-format.ts'
import {
  type BackedUpFile,
  BackupFailure,
  type BackupManifest,
  BLOB_LIST,
  FORMAT_VERSION,
  MANIFEST_FILE,
  MARK_FILE,
  METADATA_COPY,
  printBlob,
} from './backup-format.ts'
import { type BackupTarget, type BlobOutcome, recordsTo, type SourceFile, type StoredBytes } from './backup-target.ts'
import type { Written } from './durable-files.ts'

/** A backup in one archive, written from its beginning to its end. What it is written to need not be a file. */
export class ArchiveTarget implements BackupTarget {
  readonly parallel = 1
  readonly #write: (bytes: Uint8Array) => Promise<void>
  readonly #scratch: string
  readonly #signal: AbortSignal
  readonly #listHash = new Bun.CryptoHasher('sha256')
  #listBytes = 0

  /** `scratch`: a file that is not there, for the copy of the records on its way into the archive. */
  constructor(write: (bytes: Uint8Array) => Promise<void>, scratch: string, signal: AbortSignal) {
    this.#write = write
    this.#scratch = scratch
    this.#signal = signal
  }

  async begin(snapshot: string, createdAt: Date): Promise<void> {
    const mark: ArchiveMark = {
      format: ARCHIVE_FORMAT,
      version: FORMAT_VERSION,
      snapshot,
      createdAt: createdAt.toISOString(),
    }
    await this.#addText(MARK_FILE, `${JSON.stringify(mark)}\n`)
  }

  async putMetadata(copyTo: (path: string) => Promise<void>): Promise<BackedUpFile> {
    try {
      await rm(this.#scratch, { force: true })
      await recordsTo(this.#scratch, copyTo)
      const { size: sizeBytes, mtimeMs: modifiedAtMs } = await stat(this.#scratch)
      const read = () => Bun.file(this.#scratch).stream()
      return await this.putFile(METADATA_COPY, { sizeBytes, modifiedAtMs, read })
    } finally {
      await rm(this.#scratch, { force: true })
    }
  }

  async expect(): Promise<void> {}

  async putBlob(blob: StoredBytes, read: () => Promise<AsyncIterable<Uint8Array>>): Promise<BlobOutcome> {
    const written = await this.#add(blobEntryName(blob), blob.sizeBytes, await read())
    const isNamed = isNamedByContent(blob)
    const object = written === undefined ? undefined : parseDigest(`sha256:${written.sha256}`)
    if (object === undefined || (isNamed && object !== blob.digest)) {
      await this.#addText(`${blobEntryName(blob)}${SUM}`, `${NO_SUM}\n`)
      return { kind: 'corrupt' }
    }
    if (!isNamed) await this.#addText(`${blobEntryName(blob)}${SUM}`, `${object}\n`)
    const line = new TextEncoder().encode(printBlob(listed({ ...blob, object })))
    this.#listHash.update(line)
    this.#listBytes += line.byteLength
    return { kind: 'copied', blob: { ...blob, object } }
  }

  async list(): Promise<void> {}

  async endList(): Promise<BackedUpFile> {
    return { path: BLOB_LIST, sizeBytes: this.#listBytes, sha256: this.#listHash.digest('hex') }
  }

  async putFile(path: string, { sizeBytes, read }: SourceFile): Promise<BackedUpFile> {
    const written = await this.#add(path, sizeBytes, read())
    if (written === undefined) throw new BackupFailure(`${path} has changed while it was read.`)
    return { path, ...written }
  }

  async finish(manifest: BackupManifest): Promise<number> {
    await this.#addText(MANIFEST_FILE, `${JSON.stringify(manifest, null, 2)}\n`)
    await this.#write(TAR_END)
    return 0
  }

  async abandon(): Promise<void> {}

  async #addText(name: string, text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text)
    await this.#write(Buffer.concat([tarHeader(name, bytes.byteLength), bytes, padding(bytes.byteLength)]))
  }

  /** One entry of the size that was said. `undefined`: there were fewer bytes, or more; zeros stand in for what was missing. */
  async #add(name: string, sizeBytes: number, body: AsyncIterable<Uint8Array>): Promise<Written | undefined> {
    const hash = new Bun.CryptoHasher('sha256')
    await this.#write(tarHeader(name, sizeBytes))
    let left = sizeBytes
    let isMore = false
    for await (const chunk of body) {
      this.#signal.throwIfAborted()
      isMore = chunk.byteLength > left
      const piece = isMore ? chunk.subarray(0, left) : chunk
      hash.update(piece)
      left -= piece.byteLength
      await this.#write(piece)
      if (isMore) break
    }
    const isShort = left > 0
    for (; left > 0; left -= Math.min(left, ZEROS.byteLength))
      await this.#write(ZEROS.subarray(0, Math.min(left, ZEROS.byteLength)))
    await this.#write(padding(sizeBytes))
    return isShort || isMore ? undefined : { sizeBytes, sha256: hash.digest('hex') }
  }
}

const ZEROS = new Uint8Array(64 * 1024)
