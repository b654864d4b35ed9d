import { closeSync, fdatasync, fsyncSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { isRegistryError } from '../../../domain/errors.ts'
import { SqliteConnection } from './connection.ts'
import type { Mutex } from './mutex.ts'
import { WalFile } from './wal-file.ts'

/** The log is copied into the database after this many pages (of 4 KiB): a copy of that size takes a few milliseconds. */
const CHECKPOINT_FRAMES = 1000

const sync = promisify(fdatasync)

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
 *   lives, and `journal_size_limit` cuts it back afterwards.
 * - The database file is opened here a second time, for the sync. POSIX drops all of a process's locks on a file when
 *   any descriptor of it is closed, SQLite's too, so this one is closed after the last connection.
 * - A failed sync is final: the kernel may have dropped the pages and would report the next sync as good. From then on
 *   every transaction is refused; what the disk holds is found out by opening the store again.
 */
export class Durability {
  readonly #writing: Mutex
  readonly #writer: SqliteConnection
  readonly #checkpointer: SqliteConnection
  readonly #databaseDescriptor: number
  readonly #log: WalFile
  #failure: unknown
  #commits = 0
  #settledCommits = 0
  #tending: Promise<void> | undefined
  #generation: string
  #nextCheckpoint = CHECKPOINT_FRAMES

  /** `writer` has the file open and the log begun; whoever uses it holds `writing`. */
  constructor(file: string, writing: Mutex, writer: SqliteConnection) {
    this.#writing = writing
    this.#writer = writer
    this.#checkpointer = new SqliteConnection(file, ['busy_timeout=0', 'synchronous=off', 'wal_autocheckpoint=0'])
    this.#databaseDescriptor = openSync(file, 'r+')
    this.#log = new WalFile(`${file}-wal`, writer.pageBytes)
    this.#generation = this.#log.generation()
    syncDirectory(dirname(file))
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
          const frames = this.#copyLog()
          await this.#sync(sync(this.#databaseDescriptor))
          this.#generation = this.#log.generation()
          this.#nextCheckpoint = frames + CHECKPOINT_FRAMES
        } finally {
          this.#writer.rollback()
        }
      } catch (thrown) {
        this.#failure ??= thrown
      }
    })
  }

  /** To be called when nobody writes any more, before the last connection closes. */
  async finish(): Promise<void> {
    await this.#tending
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

  /** Answers how many pages the log holds. With no room for the database to grow, the log stays as it is. */
  #copyLog(): number {
    try {
      const { rows } = this.#checkpointer.execute('pragma wal_checkpoint(passive)')
      return Number(rows[0]?.log ?? 0)
    } catch (thrown) {
      if (isRegistryError(thrown, 'storage-full')) return this.#nextCheckpoint
      throw thrown
    }
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

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
