import { existsSync, fdatasync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { isRegistryError } from '../../domain/errors.ts'
import type { Sealer } from '../../lib/master-key.ts'
import type { MetadataReader, MetadataStore, MetadataWriter, TransactOptions } from '../metadata.ts'
import { copyMetadataFile } from './copy.ts'
import { inWords, MetadataUnusable } from './metadata-unusable.ts'
import { migrate } from './migrations/migrate.ts'
import { isSealed, sealAll, sealStateOf } from './sealed-columns.ts'
import { SqliteConnection } from './sqlite/connection.ts'
import { databaseOn } from './sqlite/dialect.ts'
import { Durability } from './sqlite/durability.ts'
import { Mutex } from './sqlite/mutex.ts'
import { Snapshots } from './sqlite/snapshots.ts'
import { Transaction } from './sqlite/transaction.ts'
import { View } from './sqlite/view.ts'
import type { SyncFile } from './sqlite/wal-file.ts'
import { queriesIn, SessionQueries } from './store.ts'

const LOG_LIMIT_BYTES = 64 * 1024 * 1024
const WRITER_CACHE_KIB = 4 * 1024
const VIEW_CACHE_KIB = 8 * 1024
const SNAPSHOT_CACHE_KIB = 2 * 1024
const SNAPSHOTS_IDLE_MAX = 4
const MEMORY_SNAPSHOTS_MAX = 8

const sync = promisify(fdatasync)

/**
 * A sync, and a look whether the file system has lived through it. One that dies meanwhile (its journal is given up) can
 * call the sync good: the journal's commit, for which it waited, has ended. Asked again it says that it is gone. With
 * nothing left to write, the second costs a system call.
 */
async function syncForCertain(descriptor: number): Promise<void> {
  await sync(descriptor)
  await sync(descriptor)
}

const common = ['busy_timeout=5000', 'temp_store=memory']

/**
 * Opens metadata kept in a SQLite file, and makes the file when it is not there. One process at a time serves a file;
 * others may read it meanwhile.
 * Throws when the file was written by a newer version, or when `sealer` does not open its secrets; those that an earlier key
 * sealed, or none, are sealed anew. `syncFile` is for tests that watch or fail the syncs.
 */
export async function openSqliteMetadata(
  file: string,
  sealer: Sealer,
  syncFile: SyncFile = syncForCertain,
): Promise<MetadataStore> {
  mkdirSync(dirname(file), { recursive: true })
  const writer = await openWriter(file, 'normal', sealer)
  copyLeftLog(file, writer)
  writer.execute('pragma wal_autocheckpoint=0')
  const writing = new Mutex()
  const snapshots = new Snapshots(() => openReader(file, SNAPSHOT_CACHE_KIB), {
    max: Number.POSITIVE_INFINITY,
    idleMax: SNAPSHOTS_IDLE_MAX,
  })
  return new SqliteMetadata({
    file,
    sealer,
    writer,
    writing,
    view: new View(openReader(file, VIEW_CACHE_KIB)),
    snapshots,
    durability: new Durability(file, { writing, writer, snapshots, syncFile }),
  })
}

/**
 * Opens metadata that nobody keeps. It behaves like a file because it is one, in a directory of its own that is gone
 * as soon as all connections have opened it: nothing is left behind, however the process ends.
 */
export async function openMemoryMetadata(sealer: Sealer): Promise<MetadataStore> {
  const directory = mkdtempSync(join(tmpdir(), 'ecru-memory-'))
  try {
    const file = join(directory, 'metadata.db')
    const writer = await openWriter(file, 'off', sealer)
    const view = new View(openReader(file, VIEW_CACHE_KIB))
    const snapshots = new Snapshots(() => openReader(file, SNAPSHOT_CACHE_KIB), {
      max: MEMORY_SNAPSHOTS_MAX,
      idleMax: MEMORY_SNAPSHOTS_MAX,
    })
    snapshots.openAll()
    return new SqliteMetadata({
      file: undefined,
      sealer,
      writer,
      writing: new Mutex(),
      view,
      snapshots,
      durability: undefined,
    })
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** After a crash the log may be long: copying it now keeps the first checkpoint short. */
function copyLeftLog(file: string, writer: SqliteConnection): void {
  if (statSync(`${file}-wal`).size === 0) return
  try {
    writer.execute('pragma wal_checkpoint(truncate)')
  } catch (thrown) {
    if (!isRegistryError(thrown, 'storage-full')) throw thrown
  }
}

async function openWriter(file: string, synchronous: 'normal' | 'off', sealer: Sealer): Promise<SqliteConnection> {
  const writer = openFile(file, [
    ...common,
    `synchronous=${synchronous}`,
    'journal_mode=wal',
    `journal_size_limit=${LOG_LIMIT_BYTES}`,
    `cache_size=-${WRITER_CACHE_KIB}`,
    'foreign_keys=on',
    // What was deleted inside a page is gone from it; whole pages would cost writes of their own.
    'secure_delete=fast',
  ])
  try {
    if (writer.execute('pragma journal_mode').rows[0]?.journal_mode !== 'wal')
      throw new Error(`The file system of ${file} cannot keep SQLite's write-ahead log; use a local disk`)
    await migrate(databaseOn(writer))
    await sealSecrets(writer, sealer)
    return writer
  } catch (thrown) {
    writer.close()
    throw inWords(thrown, file)
  }
}

/** Whether a file's secrets need a master key that was there before; opens and changes nothing. */
export async function hasSealedSecrets(file: string): Promise<boolean> {
  if (!existsSync(file)) return false
  const reader = openFile(file, ['busy_timeout=5000', 'query_only=on'])
  try {
    return await isSealed(databaseOn(reader))
  } catch (thrown) {
    throw inWords(thrown, file)
  } finally {
    reader.close()
  }
}

/** All or none. Afterwards nothing of what lay there unsealed is left in the pages; the log is copied and emptied at the start. */
async function sealSecrets(writer: SqliteConnection, sealer: Sealer): Promise<void> {
  const state = await sealStateOf(databaseOn(writer), sealer)
  if (state === 'current') return
  writer.execute('pragma secure_delete=on')
  const transaction = new Transaction(writer, 'begin immediate')
  try {
    await sealAll(databaseOn(transaction), sealer, state)
    transaction.commit()
  } catch (thrown) {
    transaction.rollback()
    throw thrown
  } finally {
    writer.execute('pragma secure_delete=fast')
  }
}

function openFile(file: string, pragmas: readonly string[]): SqliteConnection {
  try {
    return new SqliteConnection(file, pragmas)
  } catch (thrown) {
    const worded = inWords(thrown, file)
    if (worded instanceof MetadataUnusable) throw worded
    const reason = thrown instanceof Error ? thrown.message : String(thrown)
    throw new MetadataUnusable(`The metadata in ${file} cannot be opened: ${reason}`, { cause: thrown })
  }
}

function openReader(file: string, cacheKib: number): SqliteConnection {
  const reader = new SqliteConnection(file, [...common, 'query_only=on', `cache_size=-${cacheKib}`])
  // SQLite opens the log with the first read
  reader.execute('select count(*) from sqlite_schema')
  return reader
}

/** SQLite copies the log when the last connection closes, so after a failed sync none does before the process ends. */
const abandoned: Parts[] = []

interface Parts {
  /** Absent when it is gone. */
  readonly file: string | undefined
  readonly sealer: Sealer
  readonly writer: SqliteConnection
  readonly writing: Mutex
  readonly view: View
  readonly snapshots: Snapshots
  /** Absent when nothing is to be kept. */
  readonly durability: Durability | undefined
}

class SqliteMetadata implements MetadataStore {
  readonly view: MetadataReader
  readonly #parts: Parts
  #isClosed = false
  #policyRevision = 0
  readonly #watchers: (() => void)[] = []

  constructor(parts: Parts) {
    this.#parts = parts
    this.view = new SessionQueries({
      db: databaseOn(parts.view),
      sealer: parts.sealer,
      atOnce: (work) => this.#snapshot((snapshot) => work(databaseOn(snapshot))),
      notePolicyChange: () => {},
      noteEvents: () => {},
    })
  }

  get policyRevision(): number {
    return this.#policyRevision
  }

  read<T>(work: (view: MetadataReader) => Promise<T>): Promise<T> {
    return this.#snapshot((snapshot) => work(queriesIn(databaseOn(snapshot), this.#parts.sealer)))
  }

  async transact<T>(
    work: (tx: MetadataWriter) => Promise<T>,
    { durability = 'durable' }: TransactOptions = {},
  ): Promise<T> {
    this.#assertOpen()
    const result = await this.#parts.writing.run(() => this.#write(work))
    if (durability === 'durable') await this.#parts.durability?.settle()
    return result
  }

  watchOutbox(listener: () => void): void {
    this.#watchers.push(listener)
  }

  async copyTo(file: string): Promise<void> {
    this.#assertOpen()
    if (this.#parts.file === undefined) throw new Error('Metadata that nobody keeps cannot be copied')
    await copyMetadataFile(this.#parts.file, file)
  }

  async checkReady(): Promise<void> {
    this.#assertOpen()
    this.#parts.durability?.assertIntact()
    this.#parts.view.execute('select count(*) from kysely_migration')
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const { writer, writing, view, snapshots, durability } = this.#parts
    await snapshots.close()
    await writing.run(async () => {})
    await durability?.finish()
    view.renew()
    if (durability?.hasFailed) {
      abandoned.push(this.#parts)
      return
    }
    view.close()
    writer.close()
    durability?.release()
  }

  async #snapshot<T>(work: (snapshot: Transaction) => Promise<T>): Promise<T> {
    this.#assertOpen()
    return this.#parts.snapshots.run(work)
  }

  async #write<T>(work: (tx: MetadataWriter) => Promise<T>): Promise<T> {
    const { writer, view, durability, sealer } = this.#parts
    durability?.assertIntact()
    const transaction = new Transaction(writer, 'begin immediate')
    try {
      let changesPolicies = false
      let hasEvents = false
      const result = await work(
        queriesIn(
          databaseOn(transaction),
          sealer,
          () => {
            changesPolicies = true
          },
          () => {
            hasEvents = true
          },
        ),
      )
      view.renew()
      transaction.commit()
      // In the same turn as the commit, so that nobody sees the new policy under the old number.
      if (changesPolicies) this.#policyRevision++
      if (transaction.hasChanges) durability?.committed()
      if (hasEvents) for (const tell of this.#watchers) tell()
      return result
    } catch (thrown) {
      transaction.rollback()
      throw thrown
    }
  }

  #assertOpen(): void {
    if (this.#isClosed) throw new Error('The metadata store is closed')
  }
}
