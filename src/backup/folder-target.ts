import { type FileHandle, mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDigest } from '../domain/digest.ts'
import type { BlobAddress } from '../domain/vault.ts'
import { isNamedByContent } from './archive-format.ts'
import type { BackupFolder } from './backup-folder.ts'
import {
  type BackedUpBlob,
  type BackedUpFile,
  type BackupManifest,
  BLOB_LIST,
  MANIFEST_FILE,
  METADATA_COPY,
  printBlob,
} from './backup-format.ts'
import { type BackupTarget, type BlobOutcome, recordsTo, type SourceFile, type StoredBytes } from './backup-target.ts'
import {
  makeDurably,
  replaceDurably,
  sumOf,
  syncDirectory,
  type Written,
  writeAll,
  writeDurably,
} from './durable-files.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { compareBlobs, type KnownObjects } from './known-objects.ts'

/** Files under way: enough for a disk that has to be waited for, few beside traffic. */
const AT_ONCE = 8

/** One more snapshot of a directory of backups. What an earlier one has brought is not read again, but for what `isThorough` compares. */
export class FolderTarget implements BackupTarget {
  readonly parallel = AT_ONCE
  readonly #folder: BackupFolder
  readonly #settings: FolderSettings
  readonly #listHash = new Bun.CryptoHasher('sha256')
  #path = ''
  #known: KnownObjects | undefined
  #list: FileHandle | undefined
  #listBytes = 0
  #lock: FolderLock | undefined

  constructor(folder: BackupFolder, settings: FolderSettings) {
    this.#folder = folder
    this.#settings = settings
  }

  async begin(id: string): Promise<void> {
    this.#lock = lockFolder(this.#folder.path)
    await this.#folder.claim(this.#settings.installation)
    this.#path = this.#folder.snapshotPath(id)
    this.#known = await this.#folder.knownObjects()
    await mkdir(this.#path, { mode: 0o700 })
    this.#list = await open(join(this.#path, BLOB_LIST), 'w', 0o600)
  }

  async putMetadata(copyTo: (path: string) => Promise<void>): Promise<BackedUpFile> {
    const path = join(this.#path, METADATA_COPY)
    await recordsTo(path, copyTo)
    const file = await open(path, 'r+')
    try {
      await file.chmod(0o600)
      await file.sync()
    } finally {
      await file.close()
    }
    return { path: METADATA_COPY, ...(await sumOf(path)) }
  }

  async expect(blobs: readonly BlobAddress[]): Promise<void> {
    await this.#known?.advance(blobs)
  }

  async putBlob(blob: StoredBytes, read: () => Promise<AsyncIterable<Uint8Array>>): Promise<BlobOutcome> {
    const { digest, sizeBytes } = blob
    const isNamed = isNamedByContent(blob)
    const there = isNamed ? { ...blob, object: digest } : this.#known?.find(blob)
    if (
      there !== undefined &&
      there.sizeBytes === sizeBytes &&
      (isNamed || there.storedAtMs === blob.storedAtMs) &&
      (await this.#has(there))
    )
      return { kind: 'present', blob: { ...blob, object: there.object } }
    const isGood = (written: Written) =>
      written.sizeBytes === sizeBytes && (!isNamed || `sha256:${written.sha256}` === digest)
    const written = await this.#folder.putObject(await read(), isGood, this.#settings.signal)
    if (!isGood(written)) return { kind: 'corrupt' }
    const object = parseDigest(`sha256:${written.sha256}`)
    return { kind: 'copied', blob: { ...blob, object } }
  }

  async list(blobs: readonly BackedUpBlob[]): Promise<void> {
    const bytes = new TextEncoder().encode([...blobs].sort(compareBlobs).map(printBlob).join(''))
    this.#listHash.update(bytes)
    this.#listBytes += bytes.byteLength
    if (this.#list !== undefined) await writeAll(this.#list, bytes)
  }

  async endList(): Promise<BackedUpFile> {
    await this.#list?.sync()
    await this.#closeLists()
    return { path: BLOB_LIST, sizeBytes: this.#listBytes, sha256: this.#listHash.digest('hex') }
  }

  async putFile(path: string, source: SourceFile): Promise<BackedUpFile> {
    const names = path.split('/')
    if (names[0] === 'advisories') return await this.#putShared(path, source)
    const directory = await makeDurably(this.#path, ...names.slice(0, -1))
    const written = await writeDurably(join(directory, names.at(-1) ?? ''), source.read(), this.#settings.signal)
    await syncDirectory(directory)
    return { path, ...written }
  }

  async finish(manifest: BackupManifest): Promise<number> {
    await this.#folder.settle()
    await syncDirectory(this.#path)
    await syncDirectory(join(this.#path, '..'))
    await replaceDurably(join(this.#path, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
    await this.#folder.removeUnfinished()
    const { keep } = this.#settings
    return keep === undefined ? 0 : await this.#folder.keepNewest(keep)
  }

  async abandon(): Promise<void> {
    await this.#closeLists()
    this.#lock?.release()
  }

  async #closeLists(): Promise<void> {
    await this.#known?.close()
    await this.#list?.close()
    this.#known = undefined
    this.#list = undefined
  }

  /** Large, and mostly the same as last time: one object for all snapshots. */
  async #putShared(path: string, source: SourceFile): Promise<BackedUpFile> {
    const { sizeBytes, modifiedAtMs } = source
    const [last] = (await this.#folder.snapshotIds()).slice(-1)
    const known = last === undefined ? [] : (await this.#folder.manifest(last)).advisories
    const there = known.find((one) => one.path === path)
    if (there?.modifiedAtMs === modifiedAtMs && there.sizeBytes === sizeBytes) {
      const object = parseDigest(`sha256:${there.sha256}`)
      if (await this.#has({ object, sizeBytes })) return there
    }
    const written = await this.#folder.putObject(source.read(), () => true, this.#settings.signal)
    return { path, ...written, modifiedAtMs }
  }

  async #has({ object, sizeBytes }: Pick<BackedUpBlob, 'object' | 'sizeBytes'>): Promise<boolean> {
    if (!this.#folder.hasObject(object, sizeBytes)) return false
    if (!this.#settings.isThorough) return true
    return `sha256:${(await sumOf(this.#folder.objectPath(object))).sha256}` === object
  }
}

export interface FolderSettings {
  readonly signal: AbortSignal
  /** Whose backup it is. */
  readonly installation: string
  /** So many snapshots are kept; absent: all. */
  readonly keep?: number | undefined
  /** What is there already is read and compared, and replaced when it is damaged. */
  readonly isThorough: boolean
}
