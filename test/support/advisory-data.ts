import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'

const DATA = join(import.meta.dir, '../data')

/** The advisories that tests compare with, in the layout of the OSV bucket. */
export const OSV_DIRECTORY = join(DATA, 'advisories/osv')
export const KEV_FILE = join(DATA, 'advisories/kev.json.gz')

/** Text of a packed file below `test/data`. */
export function unpackedText(path: string): string {
  return new TextDecoder().decode(Bun.gunzipSync(readFileSync(join(DATA, path))))
}

/** A store in memory that holds all of them. To be closed. */
export async function realAdvisories(at: Date): Promise<SqliteAdvisoryStore> {
  const store = SqliteAdvisoryStore.inMemory()
  await store.import({ from: OSV_DIRECTORY, at })
  await store.import({ from: KEV_FILE, at })
  return store
}

/** A directory of single records, and kept until `remove`. */
export class RecordDirectory implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'ecru-records-'))

  put(record: OsvRecord): void {
    writeFileSync(join(this.path, `${record.id}.json`), JSON.stringify(record))
  }

  putText(name: string, text: string | Uint8Array): string {
    const file = join(this.path, name)
    writeFileSync(file, text)
    return file
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}

export interface OsvRecord {
  readonly id: string
  readonly modified: string
  readonly [member: string]: unknown
}

/** A record about one package, affected up to the version in which it is fixed. */
export function osvRecord(
  id: string,
  [ecosystem, name, fixed]: readonly [ecosystem: string, name: string, fixed: string],
  members: Readonly<Record<string, unknown>> = {},
): OsvRecord {
  return {
    schema_version: '1.7.3',
    id,
    modified: '2026-01-01T00:00:00Z',
    affected: [
      { package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }] },
    ],
    ...members,
  }
}

/** A zip archive of stored entries, for archives of a form that no real dump has. */
export function zipOf(entries: Readonly<Record<string, string>>): Uint8Array {
  const locals: Buffer[] = []
  const directory: Buffer[] = []
  let offset = 0
  for (const [name, text] of Object.entries(entries)) {
    const content = Buffer.from(text)
    const nameBytes = Buffer.from(name)
    const fields = Buffer.alloc(26)
    fields.writeUInt32LE(Bun.hash.crc32(content), 10)
    fields.writeUInt32LE(content.byteLength, 14)
    fields.writeUInt32LE(content.byteLength, 18)
    fields.writeUInt16LE(nameBytes.byteLength, 22)
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, nameBytes, content])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, nameBytes]))
    locals.push(local)
    offset += local.byteLength
  }
  const listed = Buffer.concat(directory)
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 0, 'latin1')
  end.writeUInt16LE(locals.length, 8)
  end.writeUInt16LE(locals.length, 10)
  end.writeUInt32LE(listed.byteLength, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...locals, listed, end])
}
