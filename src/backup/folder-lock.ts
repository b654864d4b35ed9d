import { Database } from 'bun:sqlite'
import { join } from 'node:path'
import { BackupFailure } from './backup-format.ts'

/** Empty; who writes to a directory of backups holds the kernel's lock on it, which ends with the process. */
const LOCK_FILE = 'ecru-backup.lock'

/** The right to write to a directory of backups. */
export interface FolderLock {
  /** Twice is harmless. */
  release(): void
}

/**
 * Takes the lock. Throws `BackupFailure` when somebody has it. A file system that knows no locks is used without: there it
 * is the operator who sees to it.
 */
export function lockFolder(path: string): FolderLock {
  let database: Database | undefined
  try {
    database = new Database(join(path, LOCK_FILE), { create: true })
    database.exec('PRAGMA busy_timeout = 0')
    // No journal file: nothing is ever written here.
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
  } catch (error) {
    database?.close()
    database = undefined
    if ((error as { readonly code?: string }).code === 'SQLITE_BUSY')
      throw new BackupFailure(`Another backup is being written to ${path}.`, { cause: error })
  }
  if (database !== undefined) held.add(database)
  return {
    release: () => {
      if (database === undefined || !held.delete(database)) return
      database.close()
    },
  }
}

/** Held here as well: a database that nobody refers to is closed, and its lock is gone. */
const held = new Set<Database>()
