import { MAX_OWNED_PATHS_PER_FILE, MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { MalformedFile } from './malformed-file.ts'
import { berkeleyByteOrder, berkeleyValues } from './rpm-berkeley.ts'
import { parseRpmHeader } from './rpm-header.ts'
import { isNdb, ndbValues } from './rpm-ndb.ts'
import { isSqlite, sqliteRows } from './sqlite-table.ts'

/** What rpm has installed, and those of its files that `isWanted`. */
export interface RpmDatabase {
  readonly packages: readonly PackageFacts[]
  readonly paths: readonly string[]
}

/** Reads an rpm database in any of its three formats: Berkeley DB, ndb, SQLite. */
export function parseRpmDatabase(bytes: Uint8Array, isWanted: (path: string) => boolean): RpmDatabase {
  const packages: PackageFacts[] = []
  const paths: string[] = []
  for (const blob of headersOf(bytes)) {
    const found = parseRpmHeader(blob, isWanted)
    if (found === undefined) continue
    packages.push(found.facts)
    for (const path of found.paths) paths.push(path)
    if (packages.length > MAX_PACKAGES_PER_FILE || paths.length > MAX_OWNED_PATHS_PER_FILE)
      throw new MalformedFile('it names too many packages')
  }
  return { packages, paths }
}

function* headersOf(bytes: Uint8Array): Generator<Uint8Array> {
  if (bytes.length === 0) return
  if (isNdb(bytes)) yield* ndbValues(bytes)
  else if (berkeleyByteOrder(bytes) !== undefined) yield* berkeleyValues(bytes)
  else if (isSqlite(bytes)) {
    for (const row of sqliteRows(bytes, 'Packages')) {
      const blob = row[1]
      if (!(blob instanceof Uint8Array)) throw new MalformedFile('a package has no header')
      yield blob
    }
  } else throw new MalformedFile('it is no rpm database of a known format')
}
