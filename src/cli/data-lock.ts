import { Database } from 'bun:sqlite'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { RESTORE_MARK } from '../domain/restore-mark.ts'
import { CommandFailure } from './terminal.ts'

const LOCK_FILE = 'ecru.lock'
const HOLDER_FILE = 'ecru.json'

/** Who works on a data directory. */
export interface Holder {
  readonly pid: number
  readonly command: string
  /** Where its server answers, once it does. */
  readonly url?: string
}

/**
 * The right to work on a data directory: one process at a time. The lock is the kernel's (through SQLite, on an empty
 * file of its own), so that it ends with the process, however that ends; nothing stale has to be recognised.
 */
export interface DataLock {
  /** Tells other commands where the server answers. */
  announce(url: string): void
  /** Twice is harmless. */
  release(): void
}

/** Takes the lock, and makes the directory when it is absent. Throws `CommandFailure` naming the holder. */
export function lockDataDirectory(path: string, command: string): DataLock {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 })
  } catch (failure) {
    throw new CommandFailure(`The data directory ${path} cannot be made: ${reasonOf(failure)}.`, { cause: failure })
  }
  const lock = tryLock(path)
  if (lock === undefined) throw new CommandFailure(busySentence(path, readHolder(path)))
  if (command !== 'restore' && existsSync(join(path, RESTORE_MARK))) {
    lock.close()
    throw new CommandFailure(
      `A backup is being restored into ${path} and is not all there: run \`ecru restore\` again to the end, or empty the directory.`,
    )
  }
  held.add(lock)
  writeHolder(path, { pid: process.pid, command })
  return {
    announce: (url) => writeHolder(path, { pid: process.pid, command, url }),
    release: () => {
      if (!held.delete(lock)) return
      rmSync(join(path, HOLDER_FILE), { force: true })
      lock.close()
    },
  }
}

/** Who works on the directory now, or `undefined` when nobody does. A holder that is just starting has no name yet. */
export function findHolder(path: string): Partial<Holder> | undefined {
  const lock = tryLock(path)
  if (lock === undefined) return readHolder(path) ?? {}
  lock.close()
  return undefined
}

/** Held here as well: a database that nobody refers to is closed, and its lock is gone. */
const held = new Set<Database>()

function tryLock(path: string): Database | undefined {
  const database = openLockFile(join(path, LOCK_FILE))
  try {
    database.exec('PRAGMA busy_timeout = 0')
    // No journal file: nothing is ever written here.
    database.exec('PRAGMA journal_mode = MEMORY')
    database.exec('BEGIN EXCLUSIVE')
    return database
  } catch (failure) {
    database.close()
    if ((failure as { readonly code?: string }).code === 'SQLITE_BUSY') return undefined
    throw new CommandFailure(`The data directory ${path} cannot be locked: ${reasonOf(failure)}.`, { cause: failure })
  }
}

function openLockFile(file: string): Database {
  try {
    return new Database(file, { create: true })
  } catch (failure) {
    throw new CommandFailure(`${file} cannot be opened: ${reasonOf(failure)}.`, { cause: failure })
  }
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(join(path, HOLDER_FILE), 'utf8')) as Holder
  } catch {
    return undefined
  }
}

/** Only tells others whom to ask: a disk that has no room for it is no reason not to serve. */
function writeHolder(path: string, holder: Holder): void {
  const file = join(path, HOLDER_FILE)
  try {
    writeFileSync(`${file}.new`, `${JSON.stringify(holder)}\n`)
    renameSync(`${file}.new`, file)
  } catch {
    rmSync(file, { force: true })
  }
}

function busySentence(path: string, holder: Holder | undefined): string {
  const who = holder === undefined ? 'another process' : `\`ecru ${holder.command}\` (process ${holder.pid})`
  const where = holder?.url === undefined ? '' : ` at ${holder.url}`
  return `The data directory ${path} is in use by ${who}${where}.`
}

function reasonOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
