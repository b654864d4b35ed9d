import { existsSync } from 'node:fs'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupFailure, METADATA_COPY } from '../backup/backup-format.ts'
import { makeDurably, replaceDurably, syncDirectory, type Written, writeDurably } from '../backup/durable-files.ts'
import { type Digest, digestAlgorithm, parseDigest } from '../domain/digest.ts'
import { RESTORE_MARK } from '../domain/restore-mark.ts'
import { type BlobAddress, PLAIN } from '../domain/vault.ts'
import type { Clock } from '../lib/clock.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import { OWN_MASTER_KEY_FILE } from '../lib/master-key-source.ts'
import { FilesystemBlobStore } from '../stores/blobs/filesystem.ts'
import { faultsOfMetadataFile } from '../stores/metadata/copy.ts'
import { hasSealedSecrets } from '../stores/metadata/sqlite.ts'
import { AUDIT_DIRECTORY } from './audit-log.ts'
import { METADATA_FILE } from './foundation.ts'

/** What may be in a directory that counts as empty. */
const OF_NO_WEIGHT = ['ecru.lock', 'ecru.json', 'lost+found']
const RESTORED = '.restored'

/** A blob that is in the directory, under no name yet; one of the two is called. */
export interface StagedBlob {
  /** The SHA-256 of its stored bytes. */
  readonly object: Digest
  /** False: its content is not that of its digest, as far as one can tell without a key. */
  readonly isContentRight: boolean
  keep(): Promise<void>
  drop(): Promise<void>
}

/** A data directory into which one snapshot is brought; no server starts on it before `finish`. */
export class Restoration {
  readonly #path: string
  readonly #store: FilesystemBlobStore
  #alreadyThere = 0

  private constructor(path: string, store: FilesystemBlobStore) {
    this.#path = path
    this.#store = store
  }

  /** Marks an empty directory, or takes up what was begun with the same snapshot. Throws `BackupFailure`. */
  static async begin(path: string, snapshot: string, clock: Clock): Promise<Restoration> {
    await mark(path, snapshot)
    const store = await FilesystemBlobStore.open(path, { clock })
    // What a restore that was cut off had staged.
    for await (const { key } of store.listUploads()) await store.abort(key)
    return new Restoration(path, store)
  }

  /** Blobs that a restore which was cut off had brought. */
  get alreadyThere(): number {
    return this.#alreadyThere
  }

  async has(blob: BlobAddress, sizeBytes: number): Promise<boolean> {
    if ((await this.#store.find(blob))?.sizeBytes !== sizeBytes) return false
    this.#alreadyThere++
    return true
  }

  /** Reads all of the bytes. */
  async stage({ vault, digest }: BlobAddress, bytes: AsyncIterable<Uint8Array>): Promise<StagedBlob> {
    const stored = new RunningHash('sha256')
    const content = vault === PLAIN ? new RunningHash(digestAlgorithm(digest)) : undefined
    const key = await this.#store.startUpload(vault)
    try {
      await this.#store.append(key, 0, stored.through(content === undefined ? bytes : content.through(bytes)))
    } catch (error) {
      await this.#store.abort(key)
      throw error
    }
    return {
      object: stored.digest(),
      isContentRight: content === undefined || content.digest() === digest,
      keep: async () => void (await this.#store.commit(key, digest)),
      drop: () => this.#store.abort(key),
    }
  }

  /** The records, or a file below `audit/`, `advisories/` or `keys/`. */
  async bringFile(path: string, bytes: AsyncIterable<Uint8Array>): Promise<Written> {
    if (path === METADATA_COPY) {
      for (const end of ['', '-wal', '-shm', '-journal']) await rm(`${this.#records}${end}`, { force: true })
      return await writeDurably(this.#records, bytes)
    }
    const names = path
      .replace(/^keys\//, '')
      .replace(/^audit\//, `${AUDIT_DIRECTORY}/`)
      .split('/')
    const directory = await makeDurably(this.#path, ...names.slice(0, -1))
    const written = await writeDurably(join(directory, names.at(-1) ?? ''), bytes)
    await syncDirectory(directory)
    return written
  }

  /** Removes what was found to be damaged. */
  async dropFile(path: string): Promise<void> {
    await rm(join(this.#path, path), { force: true })
  }

  /** Puts the records in their place. Answers whether the master key has to be given before anything can be served. */
  async finish(isKeyConfigured: boolean): Promise<boolean> {
    const faults = faultsOfMetadataFile(this.#records)
    if (faults.length > 0) throw new BackupFailure(`The records of the snapshot are damaged: ${faults.join('; ')}.`)
    const file = join(this.#path, METADATA_FILE)
    await rename(this.#records, file)
    await syncDirectory(this.#path)
    const isKeyThere = isKeyConfigured || existsSync(join(this.#path, OWN_MASTER_KEY_FILE))
    const needsMasterKey = !isKeyThere && (await hasSealedSecrets(file))
    await rm(join(this.#path, RESTORE_MARK))
    await syncDirectory(this.#path)
    return needsMasterKey
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  get #records(): string {
    return join(this.#path, `${METADATA_FILE}${RESTORED}`)
  }
}

async function mark(path: string, snapshot: string): Promise<void> {
  const file = join(path, RESTORE_MARK)
  if (existsSync(file)) {
    const begun = (JSON.parse(await readFile(file, 'utf8')) as { readonly snapshot?: unknown }).snapshot
    if (begun === snapshot) return
    throw new BackupFailure(
      `The restore of the snapshot ${String(begun)} into ${path} has not ended: end it with that snapshot, or empty the directory.`,
    )
  }
  const names = (await readdir(path)).filter(
    (name) => !OF_NO_WEIGHT.includes(name) && !name.startsWith(`${RESTORE_MARK}.`),
  )
  if (names.length > 0)
    throw new BackupFailure(`${path} is not empty (there is ${names[0]}): restore into an empty directory.`)
  await replaceDurably(file, `${JSON.stringify({ snapshot })}\n`)
}

/** The name of stored bytes. */
export function objectOf({ sha256 }: Written): Digest {
  return parseDigest(`sha256:${sha256}`)
}
