import { Database } from 'bun:sqlite'
import type { AdvisoryFacts, SeverityStatement } from '../../domain/advisories/advisory.ts'
import type { KnownExploited } from '../../domain/advisories/finding.ts'
import type { AffectedEntry } from '../../domain/advisories/match.ts'
import { databaseOf } from '../../domain/advisories/trackers.ts'
import type { AdvisorySet, AdvisoryStatus, ChangedPackage } from '../advisories.ts'
import { parseEntries, unpackFacts } from './record-form.ts'
import { readMeta, SCHEMA_VERSION } from './schema.ts'

/** Beyond this, looking at every image costs less than looking for those that are concerned. */
const CHANGED_PACKAGES_MAX = 200_000

interface AffectedRow {
  readonly id: string
  readonly entries: string
}

/** A set of advisories in a file that nobody writes to. */
export class SqliteAdvisorySet implements AdvisorySet {
  readonly status: AdvisoryStatus
  readonly #database: Database
  readonly #changesSince: number
  readonly #affected
  readonly #record
  readonly #vectors
  readonly #exploited

  /** Throws when the file is no set of this version. */
  constructor(file: string) {
    this.#database = new Database(file, { readonly: true })
    try {
      if (Number(readMeta(this.#database, 'schema')) !== SCHEMA_VERSION)
        throw new Error(`The advisories in ${file} were imported by another version of Ecru: import them again`)
      this.#changesSince = Number(readMeta(this.#database, 'changes_since') ?? '0')
      this.status = readStatus(this.#database)
      this.#affected = this.#database.query<AffectedRow, [string, string]>(
        // A record that several dumps have counts as its newest one says, also where that one says nothing of the package.
        `select r.id, a.entries from affected a join records r on r.key = a.record
         where a.ecosystem = ? and a.name = ? and not exists (
           select 1 from records n where n.id = r.id
           and (n.modified > r.modified or (n.modified = r.modified and n.key < r.key)))
         order by r.id`,
      )
      this.#record = this.#database.query<{ body: Uint8Array<ArrayBuffer> }, [string]>(
        'select body from records where id = ? order by modified desc, key limit 1',
      )
      this.#vectors = this.#database.query<{ id: string; severity: string }, [string]>(
        `select distinct r.id, r.severity from names n join records r on r.key = n.record
         where n.id = ? and n.is_flaw = 1 and r.severity <> '[]' order by r.id`,
      )
      this.#exploited = this.#database.query<{ added_on: string; due_on: string | null; ransomware: number }, [string]>(
        'select added_on, due_on, ransomware from known_exploited where cve = ?',
      )
    } catch (thrown) {
      this.#database.close()
      throw thrown
    }
  }

  entriesOf(ecosystem: string, name: string): readonly AffectedEntry[] {
    return this.#affected
      .all(ecosystem, name)
      .flatMap(({ id, entries }) =>
        parseEntries(ecosystem, name, entries).map((affected) => ({ advisoryId: id, affected })),
      )
  }

  advisory(id: string): AdvisoryFacts | undefined {
    const row = this.#record.get(id)
    return row === null ? undefined : unpackFacts(row.body)
  }

  vectors(id: string): readonly (SeverityStatement & { readonly source: string })[] {
    return this.#vectors.all(id).flatMap((row) =>
      (JSON.parse(row.severity) as readonly SeverityStatement[]).map((statement) => ({
        ...statement,
        source: databaseOf(row.id),
      })),
    )
  }

  knownExploited(cve: string): KnownExploited | undefined {
    const row = this.#exploited.get(cve)
    if (row === null) return undefined
    return { addedOn: row.added_on, dueOn: row.due_on ?? undefined, isUsedByRansomware: row.ransomware === 1 }
  }

  changesSince(revision: number): readonly ChangedPackage[] | 'everything' {
    const { revision: own } = this.status
    if (revision === own) return []
    if (revision > own || revision < this.#changesSince) return 'everything'
    const changed = this.#database
      .query<ChangedPackage, [number, number]>(
        'select distinct ecosystem, name from changes where revision > ? order by ecosystem, name limit ?',
      )
      .all(revision, CHANGED_PACKAGES_MAX + 1)
    return changed.length > CHANGED_PACKAGES_MAX ? 'everything' : changed
  }

  close(): void {
    this.#database.close()
  }
}

function readStatus(database: Database): AdvisoryStatus {
  interface Row {
    readonly ecosystem: string
    readonly record_count: number
    readonly newest_modified: number
    readonly as_of: number
    readonly imported_at: number
  }
  const count = (sql: string) => database.query<{ count: number }, []>(sql).get()?.count ?? 0
  const ecosystems = database.query<Row, []>('select * from ecosystems order by ecosystem').all()
  const sources = database.query<{ source: string }, []>('select distinct source from dumps order by source').all()
  const importedAt = new Date(Number(readMeta(database, 'imported_at') ?? '0'))
  return {
    revision: Number(readMeta(database, 'revision') ?? '0'),
    recordCount: count('select count(distinct id) as count from records'),
    importedAt,
    asOf: new Date(count('select coalesce(min(as_of), 0) as count from dumps')),
    ecosystems: ecosystems.map((row) => ({
      ecosystem: row.ecosystem,
      recordCount: row.record_count,
      newestModifiedAt: new Date(row.newest_modified),
      asOf: new Date(row.as_of),
      importedAt: new Date(row.imported_at),
    })),
    knownExploitedCount: count('select count(*) as count from known_exploited'),
    sources: sources.map(({ source }) => source),
  }
}
