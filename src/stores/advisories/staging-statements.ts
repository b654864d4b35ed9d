import type { Database } from 'bun:sqlite'
import type { KnownExploited } from '../../domain/advisories/finding.ts'
import { packageKey, packageOfKey } from './record-form.ts'

interface RecordRow {
  readonly key: number
  readonly modified: number
  readonly crc: number
  readonly hash: string
  readonly severity: string
}

interface NewRecord extends Omit<RecordRow, 'key'> {
  /** That of the record it replaces. */
  readonly key: number | undefined
  readonly dump: string
  readonly id: string
  readonly body: Uint8Array
}

/** The statements by which a set is made, each prepared once. */
export class StagingStatements {
  readonly #database: Database
  readonly #find
  readonly #insert
  readonly #update
  readonly #entries
  readonly #putEntry
  readonly #deleteEntry
  readonly #deleteEntries
  readonly #deleteNames
  readonly #putName
  readonly #names
  readonly #noteChange
  readonly #noteFlaw

  constructor(database: Database) {
    this.#database = database
    this.#find = database.query<RecordRow, [string, string]>(
      'select key, modified, crc, facts_hash as hash, severity from records where dump = ? and id = ?',
    )
    this.#insert = database.query<{ key: number }, [string, string, number, number, string, string, Uint8Array]>(
      'insert into records (dump, id, modified, crc, facts_hash, severity, body) values (?, ?, ?, ?, ?, ?, ?) returning key',
    )
    this.#update = database.query<unknown, [number, number, string, string, Uint8Array, number]>(
      'update records set modified = ?, crc = ?, facts_hash = ?, severity = ?, body = ? where key = ?',
    )
    this.#entries = database.query<{ ecosystem: string; name: string; entries: string }, [number]>(
      'select ecosystem, name, entries from affected where record = ?',
    )
    this.#putEntry = database.query<unknown, [string, string, number, string]>(
      'insert or replace into affected (ecosystem, name, record, entries) values (?, ?, ?, ?)',
    )
    this.#deleteEntry = database.query<unknown, [string, string, number]>(
      'delete from affected where ecosystem = ? and name = ? and record = ?',
    )
    this.#deleteEntries = database.query<unknown, [number]>('delete from affected where record = ?')
    this.#deleteNames = database.query<unknown, [number]>('delete from names where record = ?')
    this.#putName = database.query<unknown, [string, number, number]>(
      'insert or replace into names (id, record, is_flaw) values (?, ?, ?)',
    )
    this.#names = database.query<{ id: string; is_flaw: number }, [number]>(
      'select id, is_flaw from names where record = ?',
    )
    this.#noteChange = database.query<unknown, [number, string, string]>(
      'insert or ignore into changes (revision, ecosystem, name) values (?, ?, ?)',
    )
    this.#noteFlaw = database.query<unknown, [string]>('insert or ignore into changed_flaws (id) values (?)')
  }

  findRecord(dump: string, id: string): RecordRow | undefined {
    return this.#find.get(dump, id) ?? undefined
  }

  putRecord({ key, dump, id, modified, crc, hash, severity, body }: NewRecord): number {
    if (key !== undefined) {
      this.#update.run(modified, crc, hash, severity, body, key)
      return key
    }
    const row = this.#insert.get(dump, id, modified, crc, hash, severity, body)
    if (row === null) throw new Error('A row that was inserted has a key')
    return row.key
  }

  /** By package key. */
  entriesOf(record: number): ReadonlyMap<string, string> {
    return new Map(
      this.#entries.all(record).map(({ ecosystem, name, entries }) => [packageKey(ecosystem, name), entries]),
    )
  }

  /** The keys of the packages that records of this id in other dumps are about. */
  packagesOfOthers(id: string, record: number): readonly string[] {
    return this.#database
      .query<{ ecosystem: string; name: string }, [string, number]>(
        'select a.ecosystem, a.name from records r join affected a on a.record = r.key where r.id = ? and r.key <> ?',
      )
      .all(id, record)
      .map(({ ecosystem, name }) => packageKey(ecosystem, name))
  }

  replaceEntries(record: number, old: ReadonlyMap<string, string>, entries: ReadonlyMap<string, string>): void {
    for (const key of old.keys()) if (!entries.has(key)) this.#deleteEntry.run(...packageOfKey(key), record)
    for (const [key, text] of entries) if (old.get(key) !== text) this.#putEntry.run(...packageOfKey(key), record, text)
  }

  replaceNames(record: number, names: ReadonlyMap<string, boolean>): void {
    this.#deleteNames.run(record)
    for (const [id, isFlaw] of names) this.#putName.run(id, record, Number(isFlaw))
  }

  deleteRecord(record: number): void {
    this.#deleteEntries.run(record)
    this.#deleteNames.run(record)
    this.#database.query('delete from records where key = ?').run(record)
  }

  recordsOf(dump: string): readonly { readonly id: string; readonly key: number; readonly severity: string }[] {
    return this.#database
      .query<{ id: string; key: number; severity: string }, [string]>(
        'select id, key, severity from records where dump = ?',
      )
      .all(dump)
  }

  /** Whether the record is about the flaw of that name alone. */
  namesOf(record: number): ReadonlyMap<string, boolean> {
    return new Map(this.#names.all(record).map(({ id, is_flaw }) => [id, is_flaw === 1]))
  }

  dumpsOf(id: string): readonly string[] {
    return this.#database
      .query<{ dump: string }, [string]>('select dump from records where id = ? order by dump')
      .all(id)
      .map(({ dump }) => dump)
  }

  newestOf(dump: string): number | undefined {
    const row = this.#database
      .query<{ newest: number | null }, [string]>('select max(modified) as newest from records where dump = ?')
      .get(dump)
    return row?.newest ?? undefined
  }

  noteChange(revision: number, ecosystem: string, name: string): void {
    this.#noteChange.run(revision, ecosystem, name)
  }

  noteFlaw(id: string): void {
    this.#noteFlaw.run(id)
  }

  /** Replaces the catalogue; answers the flaws that came, went or were told anew. */
  replaceKnownExploited(catalogue: ReadonlyMap<string, KnownExploited>): readonly string[] {
    interface Row {
      readonly cve: string
      readonly text: string
    }
    const old = new Map(
      this.#database
        .query<Row, []>(
          "select cve, added_on || ' ' || coalesce(due_on, '') || ' ' || ransomware as text from known_exploited",
        )
        .all()
        .map(({ cve, text }) => [cve, text]),
    )
    const put = this.#database.query<unknown, [string, string, string | null, number]>(
      'insert or replace into known_exploited (cve, added_on, due_on, ransomware) values (?, ?, ?, ?)',
    )
    const changed: string[] = []
    for (const [cve, { addedOn, dueOn, isUsedByRansomware }] of catalogue) {
      if (old.get(cve) === `${addedOn} ${dueOn ?? ''} ${Number(isUsedByRansomware)}`) continue
      put.run(cve, addedOn, dueOn ?? null, Number(isUsedByRansomware))
      changed.push(cve)
    }
    for (const cve of old.keys()) {
      if (catalogue.has(cve)) continue
      this.#database.query('delete from known_exploited where cve = ?').run(cve)
      changed.push(cve)
    }
    return changed
  }

  /** A flaw whose vectors are others concerns all packages that any record of it names. Answers how many changed in all. */
  spreadFlaws(revision: number): number {
    this.#database
      .query(
        `insert or ignore into changes (revision, ecosystem, name)
         select ?, a.ecosystem, a.name from changed_flaws f
         join names n on n.id = f.id join affected a on a.record = n.record`,
      )
      .run(revision)
    this.#database.exec('delete from changed_flaws')
    const row = this.#database
      .query<{ count: number }, [number]>('select count(*) as count from changes where revision = ?')
      .get(revision)
    return row?.count ?? 0
  }

  /**
   * Writes down what the set holds, and as of when: dumps of one import are of one moment, that of their newest record, but
   * for those that lay in files which are older. A file that claims to be older than its records says nothing.
   */
  describe(dumps: ReadonlySet<string>, source: string, at: Date, writtenAt: ReadonlyMap<string, number>): void {
    const newest = new Map([...dumps].map((dump) => [dump, this.newestOf(dump) ?? 0]))
    const newestOfAll = Math.max(0, ...newest.values())
    const asOf = (dump: string) => {
      const written = writtenAt.get(dump) ?? newestOfAll
      return written >= (newest.get(dump) ?? 0) ? Math.min(written, newestOfAll) : newestOfAll
    }
    const put = this.#database.query<unknown, [string, string, number, number]>(
      'insert or replace into dumps (name, source, imported_at, as_of) values (?, ?, ?, ?)',
    )
    for (const dump of dumps) put.run(dump, source, at.getTime(), Math.floor(Math.min(asOf(dump), at.getTime())))
    this.#database.exec(`
      delete from dumps where name not in (select distinct dump from records);
      delete from ecosystems;
      insert into ecosystems (ecosystem, record_count, newest_modified, as_of, imported_at)
      select a.ecosystem, count(distinct r.id), max(r.modified), max(d.as_of), max(d.imported_at)
      from affected a join records r on r.key = a.record join dumps d on d.name = r.dump group by a.ecosystem`)
  }

  forgetChanges(upTo: number): void {
    this.#database.query('delete from changes where revision <= ?').run(upTo)
  }
}
