import { randomUUID } from 'node:crypto'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { type Digest, digestHex, parseDigest } from '../domain/digest.ts'
import {
  type BackedUpBlob,
  BackupFailure,
  type BackupManifest,
  BLOB_LIST,
  type Damage,
  FORMAT_VERSION,
  MANIFEST_FILE,
  MARK_FILE,
  OBJECTS,
  readBlob,
  readManifest,
  SNAPSHOTS,
} from './backup-format.ts'
import { makeDurably, replaceDurably, syncDirectory, type Written, writeDurably } from './durable-files.ts'
import { KnownObjects } from './known-objects.ts'
import { ObjectNames } from './object-names.ts'

const ID = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/
const SHARD = /^[0-9a-f]{2}$/
const BESIDE = '.new'
/** What is behind the name of an object that was found to be damaged; it is removed with the objects that nobody names. */
const DAMAGED = '.damaged'

/** A directory of backups: snapshots, and the objects that they share. One backup at a time writes to it. */
export class BackupFolder {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Opens a directory to write to, which is made when it is absent. Throws `BackupFailure` when it holds something else. */
  static async prepare(path: string): Promise<BackupFolder> {
    try {
      await mkdir(path, { recursive: true, mode: 0o700 })
      const names = await readdir(path)
      if (!names.includes(MARK_FILE)) {
        // A first backup that died may have left the new form of the mark, and nothing else.
        if (names.some((name) => !name.startsWith(MARK_FILE)))
          throw new BackupFailure(`${path} holds other things than backups: name an empty directory, or a new one.`)
        await replaceDurably(join(path, MARK_FILE), printMark())
      }
    } catch (cause) {
      if (cause instanceof BackupFailure) throw cause
      throw new BackupFailure(`Nothing can be written to ${path}: ${reasonOf(cause)}`, { cause })
    }
    const folder = BackupFolder.open(path)
    await makeDurably(path, OBJECTS)
    await makeDurably(path, SNAPSHOTS)
    return folder
  }

  /** Throws `BackupFailure` when the directory is no backup. */
  static open(path: string): BackupFolder {
    if (!existsSync(join(path, MARK_FILE)))
      throw new BackupFailure(`${path} is no backup: there is no ${MARK_FILE} in it.`)
    return new BackupFolder(path)
  }

  /**
   * Makes the directory that of an installation, unless it is another's: the backups of one would remove those of the
   * other. Whoever calls holds the lock. Throws `BackupFailure`.
   */
  async claim(installation: string): Promise<void> {
    const file = join(this.path, MARK_FILE)
    const owner = ownerIn(await readFile(file, 'utf8'))
    if (owner === installation) return
    if (owner !== undefined)
      throw new BackupFailure(
        `${this.path} holds the backups of another installation: name another directory, for each needs one of its own.`,
      )
    await replaceDurably(file, printMark(installation))
  }

  /** Of whole snapshots, the oldest first. */
  async snapshotIds(): Promise<readonly string[]> {
    const ids = await this.#everyId()
    return ids.filter((id) => existsSync(join(this.snapshotPath(id), MANIFEST_FILE)))
  }

  snapshotPath(id: string): string {
    return join(this.path, SNAPSHOTS, id)
  }

  /** Throws `BackupFailure`. */
  async manifest(id: string): Promise<BackupManifest> {
    if (!ID.test(id)) throw new BackupFailure(`'${id}' is no snapshot.`)
    const file = join(this.snapshotPath(id), MANIFEST_FILE)
    if (!existsSync(file)) throw new BackupFailure(`There is no whole snapshot ${id} in ${this.path}.`)
    return readManifest(await readFile(file, 'utf8'), id)
  }

  /** The blobs of a snapshot, be it whole or not; lines that are none are left out. */
  async *blobs(id: string): AsyncGenerator<BackedUpBlob, void, void> {
    const file = join(this.snapshotPath(id), BLOB_LIST)
    if (!existsSync(file)) return
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      const blob = readBlob(line)
      if (blob !== undefined) yield blob
    }
  }

  /** What earlier backups, whole or not, know of blobs whose object cannot be told from their digest; the newest last. */
  async knownObjects(): Promise<KnownObjects> {
    const whole = (await this.snapshotIds()).slice(-1)
    const ids = (await this.#everyId()).filter((id) => id >= (whole[0] ?? ''))
    return new KnownObjects(ids.map((id) => this.#sealedBlobs(id)))
  }

  async *#sealedBlobs(id: string): AsyncGenerator<BackedUpBlob, void, void> {
    for await (const blob of this.blobs(id)) if (blob.object !== blob.digest) yield blob
  }

  hasObject(object: Digest, sizeBytes: number): boolean {
    return statSync(this.objectPath(object), { throwIfNoEntry: false })?.size === sizeBytes
  }

  /** Why an object is not there. */
  absence(object: Digest): Damage['fault'] {
    return existsSync(`${this.objectPath(object)}${DAMAGED}`) ? 'corrupt' : 'missing'
  }

  objectPath(object: Digest): string {
    const hex = digestHex(object)
    return join(this.path, OBJECTS, hex.slice(0, 2), hex)
  }

  /**
   * Stores bytes under their SHA-256, unless `judge` does not want them. They are on the disk when it answers, and their name
   * is after the next `settle`.
   */
  async putObject(
    body: AsyncIterable<Uint8Array>,
    judge: (written: Written) => boolean,
    signal: AbortSignal,
  ): Promise<Written> {
    const beside = join(this.path, OBJECTS, `${randomUUID()}${BESIDE}`)
    try {
      const written = await writeDurably(beside, body, signal)
      if (!judge(written)) return written
      const shard = await makeDurably(this.path, OBJECTS, written.sha256.slice(0, 2))
      await rename(beside, join(shard, written.sha256))
      await rm(join(shard, `${written.sha256}${DAMAGED}`), { force: true })
      return written
    } finally {
      await rm(beside, { force: true })
    }
  }

  /** Makes the names of all objects durable, those as well that a backup which did not end has brought. */
  async settle(): Promise<void> {
    for (const shard of await readdir(join(this.path, OBJECTS)))
      if (SHARD.test(shard)) await syncDirectory(join(this.path, OBJECTS, shard))
  }

  /**
   * Sets a damaged object aside, so that the next backup stores it anew. False: it cannot be, for the directory cannot be
   * written to.
   */
  async setAside(object: Digest): Promise<boolean> {
    const path = this.objectPath(object)
    try {
      await rename(path, `${path}${DAMAGED}`)
      await syncDirectory(dirname(path))
      return true
    } catch (error) {
      if (!existsSync(path)) return true
      if (['EROFS', 'EACCES', 'EPERM'].includes(String((error as NodeJS.ErrnoException).code))) return false
      throw error
    }
  }

  /** Removes what backups have left that did not end. */
  async removeUnfinished(): Promise<void> {
    const whole = new Set(await this.snapshotIds())
    for (const id of await this.#everyId())
      if (!whole.has(id)) await rm(this.snapshotPath(id), { recursive: true, force: true })
    for (const name of await readdir(join(this.path, OBJECTS)))
      if (name.endsWith(BESIDE)) await rm(join(this.path, OBJECTS, name), { force: true })
  }

  /** Removes all but the newest snapshots, and the objects that no other one names. Answers how many snapshots went. */
  async keepNewest(count: number): Promise<number> {
    const ids = await this.snapshotIds()
    const gone = ids.slice(0, Math.max(0, ids.length - count))
    // The manifest first: what is left of a removal that breaks off is no snapshot.
    for (const id of gone) {
      await rm(join(this.snapshotPath(id), MANIFEST_FILE))
      await syncDirectory(this.snapshotPath(id))
      await rm(this.snapshotPath(id), { recursive: true })
    }
    if (gone.length > 0) await this.#removeUnnamed(ids.slice(gone.length))
    return gone.length
  }

  async #removeUnnamed(ids: readonly string[]): Promise<void> {
    const named = new ObjectNames()
    for (const id of ids) {
      for await (const { object } of this.blobs(id)) named.add(object)
      for (const { sha256 } of (await this.manifest(id)).advisories) named.add(parseDigest(`sha256:${sha256}`))
    }
    for (const shard of await readdir(join(this.path, OBJECTS))) {
      if (!SHARD.test(shard)) continue
      for (const name of await readdir(join(this.path, OBJECTS, shard)))
        if (!named.has(name)) await rm(join(this.path, OBJECTS, shard, name), { force: true })
    }
  }

  async #everyId(): Promise<readonly string[]> {
    const names = await readdir(join(this.path, SNAPSHOTS)).catch(() => [])
    return names.filter((name) => ID.test(name)).sort()
  }
}

/** When, to the millisecond, and something that no other backup of that moment has. Snapshots sort by it as they were begun. */
export function newSnapshotId(at: Date): string {
  const when = at.toISOString().replace(/[-:]|\.\d+/g, '')
  const milliseconds = at.getUTCMilliseconds().toString(16).padStart(3, '0')
  return `${when}-${milliseconds}${randomUUID().slice(0, 5)}`
}

/** Without an `installation`, the first backup says whose the directory is. */
function printMark(installation?: string): string {
  return `${JSON.stringify({ format: 'ecru-backup', version: FORMAT_VERSION, installation })}\n`
}

/** `undefined`: nobody's yet. */
function ownerIn(mark: string): string | undefined {
  try {
    const { installation } = JSON.parse(mark) as { readonly installation?: unknown }
    return typeof installation === 'string' ? installation : undefined
  } catch {
    return undefined
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown)
}
