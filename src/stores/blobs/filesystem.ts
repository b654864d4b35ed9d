import { randomUUID } from 'node:crypto'
import { type Stats, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Digest, digestAlgorithm, digestHex, tryParseDigest } from '../../domain/digest.ts'
import { blobNotFound, uploadNotFound, uploadRangeInvalid } from '../../domain/errors.ts'
import { vaultOfUpload } from '../../domain/upload.ts'
import { type BlobAddress, PLAIN, tryParseVault, type Vault } from '../../domain/vault.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import type { BlobBody, BlobDriver, BlobInfo, ByteRange, UploadKey } from '../blobs.ts'
import { BLOBS, BlobPaths, QUARANTINE, UPLOADS, VAULTS } from './blob-paths.ts'
import { DurableDirectories } from './durable-directories.ts'
import { type Files, type OpenFile, systemFiles } from './files.ts'
import { SpaceReserve } from './space-reserve.ts'
import { isSystemError, writeError } from './system-errors.ts'
import { isUploadKey, newUploadKey } from './upload-keys.ts'
import { UploadNotes } from './upload-notes.ts'
import { WriteBehind } from './write-behind.ts'

const ALGORITHMS = ['sha256', 'sha512'] as const
const SHARD = /^[0-9a-f]{2}$/

export interface FilesystemBlobStoreOptions {
  readonly clock?: Clock
  readonly files?: Files
}

/**
 * Keeps blobs as files of one directory, which one process writes to.
 *
 * A key that this driver cannot have made names no upload. When the root loses its layout (a volume that is no longer
 * mounted), lookups fail instead of answering "absent". Removed blobs are freed by the kernel once the last body that
 * was opened is sent.
 *
 * A power loss may undo that an upload was begun or aborted: a client then begins anew, and a sweep finds what is left.
 * An upload whose flush fails is dropped as a whole.
 */
export class FilesystemBlobStore implements BlobDriver {
  readonly #root: string
  readonly #paths: BlobPaths
  readonly #clock: Clock
  readonly #files: Files
  readonly #directories: DurableDirectories
  readonly #reserve: SpaceReserve
  readonly #notes: UploadNotes

  private constructor(root: string, { clock = systemClock, files = systemFiles }: FilesystemBlobStoreOptions) {
    this.#root = root
    this.#paths = new BlobPaths(root)
    this.#clock = clock
    this.#files = files
    this.#directories = new DurableDirectories(files)
    this.#reserve = new SpaceReserve(root)
    this.#notes = new UploadNotes(this.#paths.uploads, files)
  }

  /** Opens the store in a directory, which is made, with its parents, when it is not there. */
  static async open(root: string, options: FilesystemBlobStoreOptions = {}): Promise<FilesystemBlobStore> {
    const store = new FilesystemBlobStore(resolve(root), options)
    await store.#prepare()
    return store
  }

  async find(address: BlobAddress): Promise<BlobInfo | undefined> {
    const found = this.#look(this.#paths.blob(address))
    const { vault, digest } = address
    return found && { vault, digest, sizeBytes: found.size, storedAt: found.mtime }
  }

  async read(address: BlobAddress, range?: ByteRange): Promise<BlobBody> {
    const path = this.#paths.blob(address)
    if (this.#look(path) === undefined) throw blobNotFound(address.digest)
    const file = Bun.file(path)
    return range === undefined ? file : file.slice(range.first, range.last + 1)
  }

  async startUpload(vault: Vault): Promise<UploadKey> {
    const key = newUploadKey(vault)
    try {
      const file = await this.#files.open(join(this.#paths.uploads, key), 'wx')
      await this.#touch(file).finally(() => file.close())
    } catch (thrown) {
      throw writeError(thrown)
    }
    return key
  }

  async uploadSize(key: UploadKey): Promise<number | undefined> {
    const path = this.#paths.upload(key)
    return path === undefined ? undefined : this.#look(path)?.size
  }

  async append(key: UploadKey, offset: number, body: AsyncIterable<Uint8Array>): Promise<number> {
    const file = await this.#openUpload(key)
    if (file === undefined) throw uploadNotFound(key)
    try {
      const { size } = await file.stat()
      if (offset !== size) throw uploadRangeInvalid(offset, size)
      const writer = new WriteBehind(file, size)
      try {
        for await (const chunk of body) {
          this.#reserve.take(chunk.byteLength)
          await writer.add(chunk)
        }
      } finally {
        await this.#finish(writer, file, key)
      }
      return writer.writtenBytes
    } finally {
      await file.close()
    }
  }

  async readUpload(key: UploadKey, from = 0): Promise<ReadableStream<Uint8Array>> {
    const path = this.#paths.upload(key)
    if (path === undefined || this.#look(path) === undefined) throw uploadNotFound(key)
    return (from === 0 ? Bun.file(path) : Bun.file(path).slice(from)).stream()
  }

  async cutUpload(key: UploadKey, sizeBytes: number): Promise<void> {
    const file = await this.#openUpload(key)
    if (file === undefined) throw uploadNotFound(key)
    await file.truncate(sizeBytes).finally(() => file.close())
  }

  async note(key: UploadKey): Promise<Uint8Array | undefined> {
    return isUploadKey(key) ? this.#notes.get(key) : undefined
  }

  async putNote(key: UploadKey, note: Uint8Array): Promise<void> {
    if (!isUploadKey(key)) throw uploadNotFound(key)
    await this.#notes.put(key, note)
  }

  async commit(key: UploadKey, digest: Digest): Promise<BlobInfo> {
    const address = { vault: vaultOfUpload(key) ?? PLAIN, digest }
    const file = await this.#openUpload(key)
    if (file !== undefined) {
      try {
        await this.#touch(file)
        await this.#flush(file, key)
      } finally {
        await file.close()
      }
      await this.#publish(key, address)
    }
    const found = await this.find(address)
    if (found === undefined) throw uploadNotFound(key)
    // Also when another commit has put it there: that one may have failed right here.
    await this.#directories.flush(dirname(this.#paths.blob(address)))
    return found
  }

  async abort(key: UploadKey): Promise<void> {
    const path = this.#paths.upload(key)
    if (path === undefined) return
    await this.#unlessAbsent(() => this.#files.unlink(path))
    await this.#notes.drop(key)
  }

  async delete(address: BlobAddress): Promise<void> {
    const path = this.#paths.blob(address)
    await this.#unlessAbsent(() => this.#files.unlink(path))
    await this.#unlessAbsent(() => this.#directories.flush(dirname(path)))
  }

  async quarantine(address: BlobAddress): Promise<void> {
    const { vault, digest } = address
    const path = this.#paths.blob(address)
    const origin = vault === PLAIN ? '' : `-${vault}`
    const aside = `${digestAlgorithm(digest)}-${digestHex(digest)}${origin}-${randomUUID()}`
    await this.#unlessAbsent(() => this.#files.rename(path, join(this.#paths.quarantine, aside)))
    await this.#directories.flush(this.#paths.quarantine)
    await this.#unlessAbsent(() => this.#directories.flush(dirname(path)))
  }

  /** Holds the names of one shard, a 256th of the blobs, at a time. */
  async *list(): AsyncGenerator<BlobInfo, void, void> {
    yield* this.#listVault(PLAIN)
    for (const name of await this.#names(this.#paths.vaults)) {
      const vault = tryParseVault(name)
      if (vault !== undefined) yield* this.#listVault(vault)
    }
  }

  async *#listVault(vault: Vault): AsyncGenerator<BlobInfo, void, void> {
    for (const algorithm of ALGORITHMS) {
      const shards = join(this.#paths.vault(vault), algorithm)
      for (const shard of await this.#names(shards)) {
        if (!SHARD.test(shard)) continue
        for (const name of await this.#names(join(shards, shard))) {
          const digest = tryParseDigest(`${algorithm}:${name}`)
          if (digest === undefined || !name.startsWith(shard)) continue
          const found = await statFile(join(shards, shard, name))
          if (found !== undefined) yield { vault, digest, sizeBytes: found.size, storedAt: found.mtime }
        }
      }
    }
  }

  async *listUploads(): AsyncGenerator<{ readonly key: UploadKey; readonly touchedAt: Date }, void, void> {
    const names = new Set(await this.#names(this.#paths.uploads))
    for (const name of names) {
      // A note without its upload is what a crash has left of one.
      const key = this.#notes.uploadOf(name) ?? name
      if (!isUploadKey(key) || (key !== name && names.has(key))) continue
      const found = await statFile(join(this.#paths.uploads, name))
      if (found !== undefined) yield { key, touchedAt: found.mtime }
    }
  }

  /** Writes a byte the way an upload does, down to the disk. */
  async checkReady(): Promise<void> {
    const key = await this.startUpload(PLAIN)
    try {
      const file = await this.#openUpload(key)
      if (file === undefined) throw uploadNotFound(key)
      try {
        await file.writev([new Uint8Array(1)], 0)
        await file.sync()
      } catch (thrown) {
        throw writeError(thrown)
      } finally {
        await file.close()
      }
    } finally {
      await this.abort(key)
    }
  }

  /** Nothing stays open between calls. */
  async close(): Promise<void> {}

  async #prepare(): Promise<void> {
    const made = await mkdir(this.#root, { recursive: true })
    for (const name of [BLOBS, UPLOADS, QUARANTINE]) await this.#directories.make(this.#root, name)
    if (made === undefined) return
    // `made` is the outermost new directory: each one's name is durable once its parent is flushed.
    for (let path = this.#root; path.length >= made.length; path = dirname(path)) {
      await this.#directories.flush(dirname(path))
    }
  }

  /**
   * What the disk says of a file, or `undefined` when it is not there. Asked without a thread: the answer takes a
   * microsecond, while the thread pool may be busy flushing other people's uploads.
   */
  #look(path: string): Stats | undefined {
    const found = statSync(path, { throwIfNoEntry: false })
    if (found === undefined) this.#assertPresent()
    return found
  }

  /** Throws when the layout is gone: then an absent file says nothing about what was stored. */
  #assertPresent(): void {
    statSync(this.#paths.blobs)
  }

  async #unlessAbsent<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (thrown) {
      if (!isSystemError(thrown, 'ENOENT')) throw writeError(thrown)
      this.#assertPresent()
      return undefined
    }
  }

  async #openUpload(key: UploadKey): Promise<OpenFile | undefined> {
    const path = this.#paths.upload(key)
    return path === undefined ? undefined : this.#unlessAbsent(() => this.#files.open(path, 'r+'))
  }

  /** Sets the moment of the last write, by the clock that all of the registry goes by. */
  async #touch(file: OpenFile): Promise<void> {
    const now = this.#clock.now()
    await file.utimes(now, now)
  }

  /** Ends an append, however it went: what was received is in the file, or the failure to write it is thrown. */
  async #finish(writer: WriteBehind, file: OpenFile, key: UploadKey): Promise<void> {
    try {
      await writer.finish()
    } catch (thrown) {
      if (writer.hasFailedToFlush) await this.abort(key)
      // When this fails too, the file is longer than the caller thinks, and its size says so.
      else await file.truncate(writer.writtenBytes).catch(() => undefined)
      throw thrown
    }
    await this.#touch(file)
  }

  /**
   * Flushes the staged bytes. After a failure they are dropped: the kernel has forgotten which of them it did not
   * write, and would call a second flush a success.
   */
  async #flush(file: OpenFile, key: UploadKey): Promise<void> {
    try {
      await file.sync()
    } catch (thrown) {
      await this.abort(key)
      throw writeError(thrown)
    }
  }

  async #publish(key: UploadKey, address: BlobAddress): Promise<void> {
    const { vault, digest } = address
    const path = this.#paths.blob(address)
    try {
      if (vault !== PLAIN) await this.#directories.make(this.#root, VAULTS, vault)
      await this.#directories.make(this.#paths.vault(vault), digestAlgorithm(digest), digestHex(digest).slice(0, 2))
      // A blob that is there already is replaced: that heals one whose bytes have rotted, and its readers keep theirs.
      await this.#unlessAbsent(() => this.#files.rename(join(this.#paths.uploads, key), path))
      await this.#notes.drop(key)
    } catch (thrown) {
      throw writeError(thrown)
    }
  }

  async #names(directory: string): Promise<readonly string[]> {
    try {
      return (await this.#unlessAbsent(() => this.#files.readdir(directory))) ?? []
    } catch (thrown) {
      if (isSystemError(thrown, 'ENOTDIR')) return []
      throw thrown
    }
  }
}

/** What the disk says of a file met while listing, or `undefined` when it is gone or is no file. */
async function statFile(path: string): Promise<Stats | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? found : undefined
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return undefined
    throw thrown
  }
}
