import type { Digest } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import type { BlobAddress } from '../domain/vault.ts'
import { compressionOf, decompressed } from '../lib/decompressed.ts'
import { withStart } from '../lib/stream-start.ts'
import { filesOfTar, type StreamedFile } from '../lib/tar-stream.ts'
import { ARCHIVE_FORMAT, isNamedByContent, listed, NO_SUM, readBlobEntryName, SUM } from './archive-format.ts'
import {
  type BackedUpFile,
  BackupFailure,
  type BackupManifest,
  type Damage,
  FORMAT_VERSION,
  MANIFEST_FILE,
  MARK_FILE,
  printBlob,
  readManifest,
} from './backup-format.ts'
import type { Written } from './durable-files.ts'

/** Who takes what an archive holds, as it comes. */
export interface ArchiveTaker {
  /** Of which snapshot it is; nothing comes before. */
  begin(snapshot: string, createdAt: string): Promise<void>
  /** The records, or a file below `audit/`, `advisories/` or `keys/`. Reads all of it. */
  takeFile(path: string, content: AsyncIterable<Uint8Array>): Promise<Written>
  /** Reads all of a blob, and holds it back until its bytes are known to be right. */
  takeBlob(blob: BlobAddress, sizeBytes: number, content: AsyncIterable<Uint8Array>): Promise<HeldBlob>
}

/** A blob that was read. One of the two is called. */
export interface HeldBlob {
  /** The SHA-256 of what was read. */
  readonly object: Digest
  /** False: its content is not that of its digest, as far as one can tell without a key. */
  readonly isContentRight?: boolean
  keep(): Promise<void>
  drop(): Promise<void>
}

/** What an archive was. */
export interface ArchiveSummary {
  readonly manifest: BackupManifest
  /** Blobs whose bytes are not those that were backed up. */
  readonly damaged: readonly Damage[]
}

const TEXT_BYTES_MAX = 16 * 1024 * 1024
const FILE = /^(?:metadata\.db|(?:advisories|audit|keys|keys\/tls)\/[\w-][\w.-]*)$/

/**
 * Reads a backup in one archive, packed or not, from its beginning to its end, and compares every byte of it with its
 * checksum; memory does not grow with its size. Throws `BackupFailure` when it is none, when it is cut off, and when
 * anything but a blob is not what was backed up.
 */
export async function readBackupArchive(
  source: AsyncIterable<Uint8Array>,
  taker: ArchiveTaker,
): Promise<ArchiveSummary> {
  const reading = new Reading(taker)
  try {
    for await (const file of filesOfTar(await unpacked(source))) await reading.take(file)
  } catch (error) {
    if (!isRegistryError(error, 'layer-unreadable')) throw error
    throw new BackupFailure(reading.broken(error.message), { cause: error })
  }
  return reading.end()
}

/** A blob of which the checksum is still to come, or none. */
interface ReadBlob extends BlobAddress {
  readonly name: string
  readonly sizeBytes: number
  readonly held: HeldBlob
}

class Reading {
  readonly #taker: ArchiveTaker
  readonly #files = new Map<string, Written>()
  readonly #damaged: Damage[] = []
  readonly #listHash = new Bun.CryptoHasher('sha256')
  #snapshot: string | undefined
  #held: ReadBlob | undefined
  #manifest: BackupManifest | undefined
  #lastName: string | undefined
  #blobs = 0

  constructor(taker: ArchiveTaker) {
    this.#taker = taker
  }

  async take(file: StreamedFile): Promise<void> {
    const { name } = file
    if (this.#snapshot === undefined) return await this.#begin(file)
    if (this.#manifest !== undefined) throw new BackupFailure(`The archive goes on behind its end, with ${name}.`)
    const held = this.#held
    this.#held = undefined
    if (held !== undefined && name === `${held.name}${SUM}`) return await this.#judge(held, (await textOf(file)).trim())
    if (held !== undefined) await this.#judge(held, undefined)
    this.#lastName = name
    const blob = readBlobEntryName(name)
    if (blob !== undefined) return await this.#takeBlob(blob, file)
    if (name === MANIFEST_FILE) this.#manifest = readManifest(await textOf(file), this.#snapshot)
    else if (!FILE.test(name)) throw new BackupFailure(`The archive holds ${name}, which belongs to no backup.`)
    else this.#files.set(name, await this.#taker.takeFile(name, file.content()))
  }

  broken(reason: string): string {
    const behind = this.#lastName === undefined ? '' : `, at ${this.#lastName}`
    return this.#snapshot === undefined
      ? 'This is no backup of Ecru, be it a directory or an archive.'
      : `The archive of the snapshot ${this.#snapshot} is damaged${behind}, and cannot be read further: ${reason}`
  }

  end(): ArchiveSummary {
    const manifest = this.#manifest
    if (manifest === undefined)
      throw new BackupFailure(
        this.#snapshot === undefined
          ? 'This is no backup of Ecru, be it a directory or an archive.'
          : `The archive of the snapshot ${this.#snapshot} is cut off: it has no end.`,
      )
    for (const file of [manifest.metadata, ...manifest.audit, ...manifest.advisories, ...manifest.keys])
      this.#check(file)
    if (this.#damaged.length === 0) this.#checkList(manifest)
    else if (this.#blobs + this.#damaged.length !== manifest.blobCount)
      throw new BackupFailure(`The archive of the snapshot ${manifest.id} lacks blobs.`)
    return { manifest, damaged: this.#damaged }
  }

  async #begin(file: StreamedFile): Promise<void> {
    const mark = file.name === MARK_FILE ? readMark(await textOf(file)) : undefined
    if (mark === undefined) throw new BackupFailure(this.broken(''))
    if (mark.version !== FORMAT_VERSION)
      throw new BackupFailure(`The archive has the format ${String(mark.version)}, which is not known here.`)
    this.#snapshot = mark.snapshot
    await this.#taker.begin(mark.snapshot, mark.createdAt)
  }

  async #takeBlob(blob: BlobAddress, { name, sizeBytes, content }: StreamedFile): Promise<void> {
    const held = await this.#taker.takeBlob(blob, sizeBytes, content())
    this.#held = { ...blob, name, sizeBytes, held }
  }

  /** `sum`: what stands behind the blob. */
  async #judge(blob: ReadBlob, sum: string | undefined): Promise<void> {
    const { vault, digest, sizeBytes, held } = blob
    const wanted = isNamedByContent(blob) ? digest : sum
    const isRight = sum !== NO_SUM && wanted === held.object && held.isContentRight !== false
    if (isRight) {
      await held.keep()
      this.#blobs++
      this.#listHash.update(printBlob(listed({ vault, digest, sizeBytes, object: held.object })))
      return
    }
    await held.drop()
    // What was bad when it was backed up is among the faults of the snapshot.
    if (sum !== NO_SUM) this.#damaged.push({ digest, fault: 'corrupt' })
  }

  #check({ path, sizeBytes, sha256 }: BackedUpFile): void {
    const written = this.#files.get(path)
    if (written === undefined) throw new BackupFailure(`The archive lacks ${path}.`)
    if (written.sizeBytes !== sizeBytes || written.sha256 !== sha256)
      throw new BackupFailure(`${path} in the archive is damaged: its bytes are not those that were backed up.`)
  }

  #checkList({ id, blobList, blobCount }: BackupManifest): void {
    if (this.#blobs !== blobCount || this.#listHash.digest('hex') !== blobList.sha256)
      throw new BackupFailure(`The archive of the snapshot ${id} lacks blobs, or has other ones.`)
  }
}

async function unpacked(source: AsyncIterable<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const { start, all } = await withStart(source, 4)
  return decompressed(all, compressionOf(start))
}

async function textOf({ name, sizeBytes, content }: StreamedFile): Promise<string> {
  if (sizeBytes > TEXT_BYTES_MAX) throw new BackupFailure(`${name} in the archive is too large.`)
  const chunks: Uint8Array[] = []
  // A piece is valid until the next is asked for.
  for await (const chunk of content()) chunks.push(chunk.slice())
  return new TextDecoder().decode(Buffer.concat(chunks))
}

function readMark(
  text: string,
): { readonly version: unknown; readonly snapshot: string; readonly createdAt: string } | undefined {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>>
    const { format, version, snapshot, createdAt } = value
    if (format !== ARCHIVE_FORMAT || typeof snapshot !== 'string' || typeof createdAt !== 'string') return undefined
    return { version, snapshot, createdAt }
  } catch {
    return undefined
  }
}
