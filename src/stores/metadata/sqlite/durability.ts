import { SQLiteError } from 'bun:sqlite'
import { closeSync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isRegistryError } from '../../../domain/errors.ts'
import { SqliteConnection } from './connection.ts'
import type { Mutex } from './mutex.ts'
import type { Snapshots } from './snapshots.ts'
import { type SyncFile, WalFile } from './wal-file.ts'

/** The log is copied into the database after this many pages (8 MiB): a copy of that size takes a few milliseconds. */
const CHECKPOINT_FRAMES = 2000
/** From this length on (64 MiB) a checkpoint waits a little for the snapshots that hold it back. */
const PATIENCE_FRAMES = 16 * 1024
const PATIENCE_MS = 50

interface DurabilityParts {
  readonly writing: Mutex
  /** Has the file open; whoever uses it holds `writing`. */
  readonly writer: SqliteConnection
  readonly snapshots: Snapshots
  readonly syncFile: SyncFile
}

/**
 * Makes commits survive a power loss without ever stopping the event loop for the disk.
 *
 * SQLite, left to itself, syncs inside COMMIT (`synchronous=full`), and everybody waits. Here it commits with
 * `synchronous=normal`, which writes the log and leaves it to the kernel, and whoever was promised durability awaits
 * {@link settle}: one `fdatasync` of the log on the thread pool, shared by all who have committed before it began.
 * Recovery after a power loss reads the log up to the first frame that is not whole, so a sync of the file covers every
 * commit before it, in order: at the moment `settle` resolves, the guarantee is that of `synchronous=full`.
 *
 * - The file: SQLite makes the log when the first connection reads, and keeps it while any connection is open. It is
 *   opened here after that, and the directory is synced once, so that the names of both files are durable.
 * - Checkpoints: SQLite would copy the log into the database inside somebody's COMMIT, syncing both. That is switched
 *   off (`wal_autocheckpoint=0`) and done by {@link tend} in the same order with the syncs outside: log synced, pages
 *   copied by a connection with `synchronous=off`, database synced. Only then may a writer begin the log anew and
 *   overwrite it; a write lock, held from before the copy until after the sync, sees to it, also towards other
 *   processes. Readers are never stopped; writers wait as long as for one commit.
 * - A log begun anew: the first COMMIT after a whole checkpoint writes a new header over the old one and SQLite syncs it
 *   there and then, because a header that came after its frames could revive old ones. This is the one sync left on the
 *   event loop, once in {@link CHECKPOINT_FRAMES} pages.
 * - Growth: a snapshot that stays open keeps the log from beginning anew, so the log grows as long as that snapshot
 *   lives, and `journal_size_limit` cuts it back afterwards. Many short snapshots in a row do not add up to a long one:
 *   while a checkpoint keeps writers away, new snapshots hold nothing back, and it waits a little for the older ones.
 * - The database file is opened here a second time, for the sync. POSIX drops all of a process's locks on a file when
 *   any descriptor of it is closed, SQLite's too, so this one is closed after the last connection.
 * - macOS leaves what is synced in the drive's own cache, here as with SQLite's defaults.
 * - A failed sync is final: the kernel may have dropped the pages and would report the next sync as good. From then on
 *   every transaction is refused, and nothing is copied from the log any more, also not by closing; what the disk holds
 *   is found out, checksum by checksum, when the store is opened again.
 */
export class Durability {
  readonly #writing: Mutex
  readonly #writer: SqliteConnection
  readonly #snapshots: Snapshots
  readonly #checkpointer: SqliteConnection
  readonly #databaseDescriptor: number
  readonly #log: WalFile
  readonly #syncFile: SyncFile
  #failure: unknown
  /** Begins at 1: what an earlier process has committed may not be on the disk either. */
  #commits = 1
  #settledCommits = 0
  #tending: Promise<void> | undefined
  #generation: string
  #nextCheckpoint = CHECKPOINT_FRAMES

  constructor(file: string, { writing, writer, snapshots, syncFile }: DurabilityParts) {
    this.#writing = writing
    this.#writer = writer
    this.#snapshots = snapshots
    this.#syncFile = syncFile
    this.#checkpointer = new SqliteConnection(file, ['busy_timeout=0', 'synchronous=off', 'wal_autocheckpoint=0'])
    this.#databaseDescriptor = openSync(file, 'r+')
    this.#log = new WalFile(`${file}-wal`, writer.pageBytes, syncFile)
    this.#generation = this.#log.generation()
    syncDirectory(dirname(file))
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Throws when a sync has failed before. */
  assertIntact(): void {
    if (this.#failure !== undefined)
      throw new Error('The metadata could not be written to the disk; it takes no changes until it is opened again', {
        cause: this.#failure,
      })
  }

  /** To be called after every commit that has changed something. */
  committed(): void {
    this.#commits += 1
    if (this.#tending === undefined && this.#isCheckpointDue())
      this.#tending = this.tend().finally(() => {
        this.#tending = undefined
      })
  }

  /**
   * Resolves when everything that was committed before the call survives a power loss. Also for those who changed
   * nothing: what they have seen, and may now confirm, may be somebody's commit of a moment ago.
   */
  async settle(): Promise<void> {
    this.assertIntact()
    const commits = this.#commits
    if (this.#settledCommits >= commits) return
    await this.#sync(this.#log.sync())
    this.#settledCommits = Math.max(this.#settledCommits, commits)
  }

  /** Copies the log into the database, so that it can begin anew. Whatever goes wrong is kept for the transactions. */
  async tend(): Promise<void> {
    await this.#writing.run(async () => {
      try {
        await this.settle()
        this.#writer.execute('begin immediate')
        try {
          const frames = await this.#copyLog()
          await this.#sync(this.#syncFile(this.#databaseDescriptor))
          this.#generation = this.#log.generation()
          this.#nextCheckpoint = frames + CHECKPOINT_FRAMES
        } finally {
          this.#writer.rollback()
        }
      } catch (thrown) {
        if (isPassing(thrown)) this.#nextCheckpoint += CHECKPOINT_FRAMES
        else this.#failure ??= thrown
      }
    })
  }

  /** To be called when nobody writes any more, before the last connection closes. */
  async finish(): Promise<void> {
    await this.#tending
    // Those who have written still wait to hear that it is safe.
    await this.#log.ended()
    this.#checkpointer.close()
  }

  /** To be called when all connections are closed. */
  release(): void {
    this.#log.close()
    closeSync(this.#databaseDescriptor)
  }

  #isCheckpointDue(): boolean {
    const isOldLog = this.#log.generation() === this.#generation
    return this.#log.reaches(isOldLog ? this.#nextCheckpoint : CHECKPOINT_FRAMES)
  }

  /** Copies what no snapshot holds back, and answers how many pages the log has. */
  async #copyLog(): Promise<number> {
    const copied = this.#copyOnce()
    if (copied.isWhole || copied.frames < PATIENCE_FRAMES) return copied.frames
    // snapshots that began since the last commit hold nothing back: when the older ones end, all can be copied
    await Promise.race([this.#snapshots.ended(), sleep(PATIENCE_MS)])
    return this.#copyOnce().frames
  }

  #copyOnce(): { readonly frames: number; readonly isWhole: boolean } {
    const [row] = this.#checkpointer.execute('pragma wal_checkpoint(passive)').rows
    return { frames: Number(row?.log ?? 0), isWhole: row?.log === row?.checkpointed }
  }

  async #sync(running: Promise<void>): Promise<void> {
    try {
      await running
    } catch (thrown) {
      this.#failure ??= thrown
      this.assertIntact()
    }
  }
}

/** A disk without room for the database to grow, or another process that is writing: the log waits for the next time. */
function isPassing(thrown: unknown): boolean {
  return isRegistryError(thrown, 'storage-full') || (thrown instanceof SQLiteError && thrown.code === 'SQLITE_BUSY')
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
