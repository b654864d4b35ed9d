import { Database } from 'bun:sqlite'
import { closeSync, constants, copyFileSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Advisory } from '../../domain/advisories/advisory.ts'
import type { KnownExploited } from '../../domain/advisories/finding.ts'
import { entriesByPackage, factsHash, flawNamesOf, packageOfKey, packFacts } from './record-form.ts'
import { createTables, deleteMeta, putMeta, readMeta, SCHEMA_VERSION } from './schema.ts'
import { StagingStatements } from './staging-statements.ts'

export const CURRENT_FILE = 'current.db'
const STAGING_FILE = 'staging.db'
/** Changes of older imports are forgotten: who was away for so long looks at everything. */
const CHANGES_KEPT_MS = 60 * 24 * 3_600_000

export type PutResult = 'added' | 'changed' | 'unchanged'

/** Counts of what an import did, which survive its being cut off. */
export interface StagingCounts {
  recordsRead: number
  addedCount: number
  changedCount: number
  removedCount: number
  unchangedCount: number
  rejectedCount: number
}

const NOTHING: StagingCounts = {
  recordsRead: 0,
  addedCount: 0,
  changedCount: 0,
  removedCount: 0,
  unchangedCount: 0,
  rejectedCount: 0,
}

/**
 * The next set while it is made: a copy of the present one in a file beside it. It keeps how far its import has come, and
 * takes the present one's place by being renamed. Nobody reads it before.
 */
export class Staging {
  readonly isResumed: boolean
  readonly counts: StagingCounts
  /** The dumps that something was read of. */
  readonly dumps: Set<string>
  /** When the newest file of a dump was written, where that is known. */
  readonly #writtenAt = new Map<string, number>()
  readonly #directory: string
  readonly #database: Database
  readonly #statements: StagingStatements
  readonly #revision: number
  readonly #nextRevision: number

  private constructor(directory: string, database: Database, isResumed: boolean) {
    this.#directory = directory
    this.#database = database
    this.isResumed = isResumed
    this.#revision = Number(readMeta(database, 'revision') ?? '0')
    this.#nextRevision = Math.max(this.#revision + 1, Number(readMeta(database, 'started_at') ?? '0'))
    this.counts = JSON.parse(readMeta(database, 'counts') ?? 'null') ?? { ...NOTHING }
    this.dumps = new Set(JSON.parse(readMeta(database, 'dumps_read') ?? '[]'))
    this.#statements = new StagingStatements(database)
    database.exec('begin')
  }

  /** Goes on with an import of the same plan that was cut off, or begins anew. */
  static open(directory: string, plan: string, at: Date): Staging {
    const file = join(directory, STAGING_FILE)
    const left = existsSync(file) ? openLeft(file, plan) : undefined
    if (left !== undefined) return new Staging(directory, left, true)
    removeFile(file)
    const current = join(directory, CURRENT_FILE)
    if (existsSync(current)) copyFileSync(current, file, constants.COPYFILE_FICLONE)
    const database = openFile(file)
    try {
      if (readSchema(database) !== SCHEMA_VERSION) {
        database.close()
        removeFile(file)
        return Staging.#begin(directory, openFile(file), plan, at, true)
      }
      return Staging.#begin(directory, database, plan, at, false)
    } catch (thrown) {
      database.close()
      throw thrown
    }
  }

  static #begin(directory: string, database: Database, plan: string, at: Date, isEmpty: boolean): Staging {
    if (isEmpty) createTables(database)
    database.exec('delete from changed_flaws')
    putMeta(database, 'plan', plan)
    putMeta(database, 'started_at', String(at.getTime()))
    return new Staging(directory, database, false)
  }

  /** How far a part of the plan has come. */
  position(part: string): number {
    return Number(readMeta(this.#database, `position:${part}`) ?? '0')
  }

  /** Makes what was done so far durable enough to be gone on with. */
  mark(part: string, position: number): void {
    putMeta(this.#database, `position:${part}`, String(position))
    putMeta(this.#database, 'counts', JSON.stringify(this.counts))
    putMeta(this.#database, 'dumps_read', JSON.stringify([...this.dumps]))
    this.#database.exec('commit')
    this.#database.exec('begin')
  }

  /** A file of a dump was written then; of several the newest counts. */
  noteWritten(dump: string, at: number): void {
    this.#writtenAt.set(dump, Math.max(at, this.#writtenAt.get(dump) ?? 0))
  }

  /** Whether this very text of the record is there; 0 is no checksum. */
  hasSame(dump: string, id: string, crc: number): boolean {
    return crc !== 0 && this.#statements.findRecord(dump, id)?.crc === crc
  }

  /** The dumps that have a record of this id. */
  dumpsOf(id: string): readonly string[] {
    return this.#statements.dumpsOf(id)
  }

  /** When the newest record of a dump was modified. */
  newestOf(dump: string): number | undefined {
    return this.#statements.newestOf(dump)
  }

  put(dump: string, crc: number, advisory: Advisory): PutResult {
    const statements = this.#statements
    const old = statements.findRecord(dump, advisory.id)
    const oldEntries = old === undefined ? new Map<string, string>() : statements.entriesOf(old.key)
    const entries = entriesByPackage(advisory)
    const hash = factsHash(advisory)
    const severity = JSON.stringify(advisory.severity.filter(({ kind }) => kind !== 'word'))
    const key = statements.putRecord({
      key: old?.key,
      dump,
      id: advisory.id,
      modified: advisory.modifiedAt.getTime(),
      crc,
      hash,
      severity,
      body: packFacts(advisory),
    })
    const areFactsOther = old?.hash !== hash
    const changed = new Set<string>()
    for (const [id, text] of entries) if (areFactsOther || oldEntries.get(id) !== text) changed.add(id)
    for (const id of oldEntries.keys()) if (areFactsOther || !entries.has(id)) changed.add(id)
    if (old === undefined || changed.size > 0) statements.replaceEntries(key, oldEntries, entries)
    const names = flawNamesOf(advisory)
    const oldNames = old === undefined ? new Map<string, boolean>() : statements.namesOf(old.key)
    if (areFactsOther) statements.replaceNames(key, names)
    this.#noteChanges(changed)
    // What another dump said of it may count no more.
    const isNewer = old !== undefined && old.modified !== advisory.modifiedAt.getTime()
    if (this.#revision > 0 && (changed.size > 0 || areFactsOther || isNewer)) {
      const others = statements.packagesOfOthers(advisory.id, key)
      this.#noteChanges(others)
      if (isNewer && others.length > 0) this.#noteChanges(entries.keys())
    }
    this.#noteVectors(old?.severity ?? '[]', oldNames, severity, names)
    if (old === undefined) return 'added'
    return changed.size > 0 || old.modified !== advisory.modifiedAt.getTime() ? 'changed' : 'unchanged'
  }

  /** Removes the records of a dump that it has no more; answers how many. */
  removeOthers(dump: string, kept: ReadonlySet<string>): number {
    let count = 0
    for (const { id, key, severity } of this.#statements.recordsOf(dump)) {
      if (kept.has(id)) continue
      this.#noteChanges(this.#statements.entriesOf(key).keys())
      this.#noteChanges(this.#statements.packagesOfOthers(id, key))
      if (severity !== '[]') this.#noteFlaws(this.#statements.namesOf(key).keys())
      this.#statements.deleteRecord(key)
      count++
    }
    return count
  }

  /** Replaces the catalogue of flaws that are exploited. */
  putKnownExploited(catalogue: ReadonlyMap<string, KnownExploited>): void {
    const changed = this.#statements.replaceKnownExploited(catalogue)
    this.#noteFlaws(changed)
  }

  /** Ends the import: what was made takes the place of the present set, whole. */
  publish(source: string, at: Date): { revision: number; changedPackageCount: number } {
    const next = this.#nextRevision
    const changedPackageCount = this.#statements.spreadFlaws(next)
    this.#statements.describe(this.dumps, source, at, this.#writtenAt)
    const { addedCount, changedCount, removedCount } = this.counts
    const isChanged = changedPackageCount + addedCount + changedCount + removedCount > 0 || this.#revision === 0
    const revision = isChanged ? next : this.#revision
    putMeta(this.#database, 'revision', String(revision))
    putMeta(this.#database, 'imported_at', String(at.getTime()))
    this.#forgetChanges(next)
    for (const name of ['plan', 'started_at', 'counts', 'dumps_read']) deleteMeta(this.#database, name)
    this.#database.exec("delete from meta where name like 'position:%'")
    this.#database.exec('commit')
    this.#database.exec('pragma wal_checkpoint(truncate)')
    this.#database.exec('pragma journal_mode = delete')
    this.#database.close()
    const file = join(this.#directory, STAGING_FILE)
    syncPath(file)
    renameSync(file, join(this.#directory, CURRENT_FILE))
    syncPath(this.#directory)
    return { revision, changedPackageCount }
  }

  /** Keeps what was done, for the next time. */
  close(): void {
    this.#database.exec('rollback')
    this.#database.close()
  }

  /** Changes after this revision are known completely. */
  #forgetChanges(next: number): void {
    const since = this.#revision === 0 ? next : Number(readMeta(this.#database, 'changes_since') ?? String(next))
    const changesSince = Math.max(since, next - CHANGES_KEPT_MS)
    this.#statements.forgetChanges(changesSince)
    putMeta(this.#database, 'changes_since', String(changesSince))
  }

  #noteChanges(keys: Iterable<string>): void {
    // Nobody has matched anything against a set that was never there.
    if (this.#revision === 0) return
    for (const key of keys) this.#statements.noteChange(this.#nextRevision, ...packageOfKey(key))
  }

  /** A flaw gets other vectors also when a record says that it is, or is no more, about that flaw alone. */
  #noteVectors(
    oldSeverity: string,
    oldNames: ReadonlyMap<string, boolean>,
    severity: string,
    names: ReadonlyMap<string, boolean>,
  ): void {
    const before = (id: string) => (oldNames.get(id) === true ? oldSeverity : '[]')
    const after = (id: string) => (names.get(id) === true ? severity : '[]')
    this.#noteFlaws([...oldNames.keys(), ...names.keys()].filter((id) => before(id) !== after(id)))
  }

  #noteFlaws(ids: Iterable<string>): void {
    if (this.#revision === 0) return
    for (const id of ids) this.#statements.noteFlaw(id)
  }
}

function openLeft(file: string, plan: string): Database | undefined {
  let database: Database | undefined
  try {
    database = openFile(file)
    if (readSchema(database) === SCHEMA_VERSION && readMeta(database, 'plan') === plan) return database
  } catch {
    // Not finished, or damaged: it is made anew.
  }
  database?.close()
  return undefined
}

function openFile(file: string): Database {
  const database = new Database(file, { create: true })
  for (const pragma of ['journal_mode=wal', 'synchronous=normal', 'temp_store=memory', 'cache_size=-32768'])
    database.exec(`pragma ${pragma}`)
  return database
}

function readSchema(database: Database): number | undefined {
  const hasMeta = database.query("select 1 from sqlite_schema where name = 'meta'").get() !== null
  return hasMeta ? Number(readMeta(database, 'schema')) : undefined
}

function removeFile(file: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${file}${suffix}`, { force: true })
}

function syncPath(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
