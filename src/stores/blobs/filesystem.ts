import { randomUUID } from 'node:crypto'
import { type Stats, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type Digest, digestAlgorithm, digestHex, tryParseDigest } from '../../domain/digest.ts'
import { blobNotFound, uploadNotFound, uploadRangeInvalid } from '../../domain/errors.ts'
import { type Clock, systemClock } from '../../lib/clock.ts'
import type { BlobBody, BlobInfo, BlobStore, ByteRange, UploadKey } from '../blobs.ts'
import { DurableDirectories } from './durable-directories.ts'
import { type Files, type OpenFile, systemFiles } from './files.ts'
import { SpaceReserve } from './space-reserve.ts'
import { isSystemError, writeError } from './system-errors.ts'
import { WriteBehind } from './write-behind.ts'

/*
 * <root>/
 *   blobs/
 *     sha256/
 *       9f/
 *         9f86d081884c…   one whole blob: renamed to here once flushed, never written to again; its modification time
 *                         is the moment of the commit
 *     sha512/…
 *   uploads/
 *     7c9e6679-7425-…     the staged bytes of one upload, in order: the file's size is the upload's
 *   quarantine/
 *     sha256-9f86d081884c…-0b8fda1e-…   a blob set aside, under its digest and a UUID
 *
 * All three directories are on one file system, so that a rename is atomic. Other files are left alone.
 */
const BLOBS = 'blobs'
const UPLOADS = 'uploads'
const QUARANTINE = 'quarantine'

const ALGORITHMS = ['sha256', 'sha512'] as const
const SHARD = /^[0-9a-f]{2}$/
const KEY = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

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
export class FilesystemBlobStore implements BlobStore {
  readonly #root: string
  readonly #clock: Clock
  readonly #files: Files
  readonly #directories: DurableDirectories
  readonly #reserve: SpaceReserve

  private constructor(root: string, { clock = systemClock, files = systemFiles }: FilesystemBlobStoreOptions) {
    this.#root = root
    this.#clock = clock
    this.#files = files
    this.#directories = new DurableDirectories(files)
    this.#reserve = new SpaceReserve(root)
  }

  /** Opens the store in a directory, which is made, with its parents, when it is not there. */
  static async open(root: string, options: FilesystemBlobStoreOptions = {}): Promise<FilesystemBlobStore> {
    const store = new FilesystemBlobStore(resolve(root), options)
    await store.#prepare()
    return store
  }

  async find(digest: Digest): Promise<BlobInfo | undefined> {
    const found = this.#look(this.#blobPath(digest))
    return found && { digest, sizeBytes: found.size, storedAt: found.mtime }
  }

  async read(digest: Digest, range?: ByteRange): Promise<BlobBody> {
    const path = this.#blobPath(digest)
    if (this.#look(path) === undefined) throw blobNotFound(digest)
    const file = Bun.file(path)
    return range === undefined ? file : file.slice(range.first, range.last + 1)
  }

  async startUpload(): Promise<UploadKey> {
    const key = randomUUID()
    try {
      const file = await this.#files.open(join(this.#root, UPLOADS, key), 'wx')
      await this.#touch(file).finally(() => file.close())
    } catch (thrown) {
      throw writeError(thrown)
    }
    return key as string as UploadKey
  }

  async uploadSize(key: UploadKey): Promise<number | undefined> {
    const path = this.#uploadPath(key)
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

  async readUpload(key: UploadKey): Promise<ReadableStream<Uint8Array>> {
    const path = this.#uploadPath(key)
    if (path === undefined || this.#look(path) === undefined) throw uploadNotFound(key)
    return Bun.file(path).stream()
  }

  async commit(key: UploadKey, digest: Digest): Promise<BlobInfo> {
    const file = await this.#openUpload(key)
    if (file !== undefined) {
      try {
        await this.#touch(file)
        await this.#flush(file, key)
      } finally {
        await file.close()
      }
      await this.#publish(key, digest)
    }
    const found = await this.find(digest)
    if (found === undefined) throw uploadNotFound(key)
    // Also when another commit has put it there: that one may have failed right here.
    await this.#directories.flush(dirname(this.#blobPath(digest)))
    return found
  }

  async abort(key: UploadKey): Promise<void> {
    const path = this.#uploadPath(key)
    if (path !== undefined) await this.#unlessAbsent(() => this.#files.unlink(path))
  }

  async delete(digest: Digest): Promise<void> {
    const path = this.#blobPath(digest)
    await this.#unlessAbsent(() => this.#files.unlink(path))
    await this.#unlessAbsent(() => this.#directories.flush(dirname(path)))
  }

  async quarantine(digest: Digest): Promise<void> {
    const path = this.#blobPath(digest)
    const aside = `${digestAlgorithm(digest)}-${digestHex(digest)}-${randomUUID()}`
    await this.#unlessAbsent(() => this.#files.rename(path, join(this.#root, QUARANTINE, aside)))
    await this.#directories.flush(join(this.#root, QUARANTINE))
    await this.#unlessAbsent(() => this.#directories.flush(dirname(path)))
  }

  /** Holds the names of one shard, a 256th of the blobs, at a time. */
  async *list(): AsyncGenerator<BlobInfo, void, void> {
    for (const algorithm of ALGORITHMS) {
      const shards = join(this.#root, BLOBS, algorithm)
      for (const shard of await this.#names(shards)) {
        if (!SHARD.test(shard)) continue
        for (const name of await this.#names(join(shards, shard))) {
          const digest = tryParseDigest(`${algorithm}:${name}`)
          if (digest === undefined || !name.startsWith(shard)) continue
          const found = await statFile(join(shards, shard, name))
          if (found !== undefined) yield { digest, sizeBytes: found.size, storedAt: found.mtime }
        }
      }
    }
  }

  async *listUploads(): AsyncGenerator<{ readonly key: UploadKey; readonly touchedAt: Date }, void, void> {
    for (const name of await this.#names(join(this.#root, UPLOADS))) {
      if (!KEY.test(name)) continue
      const found = await statFile(join(this.#root, UPLOADS, name))
      if (found !== undefined) yield { key: name as UploadKey, touchedAt: found.mtime }
    }
  }

  /** Writes a byte the way an upload does, down to the disk. */
  async checkReady(): Promise<void> {
    const key = await this.startUpload()
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

  #blobPath(digest: Digest): string {
    const hex = digestHex(digest)
    return join(this.#root, BLOBS, digestAlgorithm(digest), hex.slice(0, 2), hex)
  }

  #uploadPath(key: UploadKey): string | undefined {
    return KEY.test(key) ? join(this.#root, UPLOADS, key) : undefined
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
    statSync(join(this.#root, BLOBS))
  }

  async #unlessAbsent<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (thrown) {
      if (!isSystemError(thrown, 'ENOENT')) throw thrown
      this.#assertPresent()
      return undefined
    }
  }

  async #openUpload(key: UploadKey): Promise<OpenFile | undefined> {
    const path = this.#uploadPath(key)
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

  async #publish(key: UploadKey, digest: Digest): Promise<void> {
    const path = this.#blobPath(digest)
    const [algorithm, shard] = [digestAlgorithm(digest), digestHex(digest).slice(0, 2)]
    try {
      await this.#directories.make(join(this.#root, BLOBS), algorithm, shard)
      // A blob that is there already is replaced: that heals one whose bytes have rotted, and its readers keep theirs.
      await this.#unlessAbsent(() => this.#files.rename(join(this.#root, UPLOADS, key), path))
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
