import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseDigest } from '../../src/domain/digest.ts'
import { INVENTORY_LIMITS } from '../../src/domain/inventory/limits.ts'
import { mergeLayers } from '../../src/domain/inventory/merge.ts'
import { holdsTransactions, withLog } from '../../src/domain/inventory/sqlite-wal.ts'
import { analyseLayer } from '../../src/workers/layer-analysis.ts'
import { rpmHeader } from '../support/rpm-header.ts'
import { type TarFile, tarOf } from '../support/tar-builder.ts'

const RPM = 'var/lib/rpm'
let directory: string
let database: Database

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ecru-rpm-'))
  database = new Database(join(directory, 'rpmdb.sqlite'), { create: true })
  database.run('pragma journal_mode = wal')
  database.run('pragma wal_autocheckpoint = 0')
  database.run('create table Packages (hnum integer primary key autoincrement, blob blob not null)')
})

afterEach(() => {
  database.close()
  rmSync(directory, { recursive: true, force: true })
})

function install(...names: readonly string[]): void {
  const insert = database.prepare('insert into Packages (blob) values (?)')
  database.transaction(() => {
    for (const name of names) insert.run(rpmHeader(name, '1.0', '1.el9'))
  })()
}

/** The files as another process finds them while this one has the database open. */
function files(): { readonly main: TarFile; readonly log: TarFile } {
  const copy = mkdtempSync(join(directory, 'copy-'))
  for (const name of ['rpmdb.sqlite', 'rpmdb.sqlite-wal']) cpSync(join(directory, name), join(copy, name))
  const file = (name: string): TarFile => ({ path: `${RPM}/${name}`, content: readFileSync(join(copy, name)) })
  return { main: file('rpmdb.sqlite'), log: file('rpmdb.sqlite-wal') }
}

async function packagesOf(...layers: readonly (readonly TarFile[])[]): Promise<readonly string[]> {
  const analysed = []
  for (const [n, entries] of layers.entries())
    analysed.push({
      digest: parseDigest(`sha256:${n.toString(16).padStart(64, '0')}`),
      facts: await analyseLayer(new Blob([tarOf(entries)]).stream(), {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        limits: INVENTORY_LIMITS,
        wanted: new Map(),
      }),
    })
  return mergeLayers(analysed, 1).inventory.packages.map(({ name }) => name)
}

describe('an rpm database with a write-ahead log', () => {
  test('is what both say, in whatever order they come', async () => {
    install('bash')
    database.run('pragma wal_checkpoint(truncate)')
    install(...Array.from({ length: 300 }, (_, n) => `p${n}`))
    database.run('delete from Packages where hnum = 1')
    const { main, log } = files()
    expect(await packagesOf([main])).toEqual(['bash'])
    for (const order of [
      [main, log],
      [log, main],
    ]) {
      const found = await packagesOf(order)
      expect(found).toHaveLength(300)
      expect(found).not.toContain('bash')
    }
  })

  test('may be all in the log', async () => {
    install('bash', 'curl')
    const { main, log } = files()
    expect(await packagesOf([{ ...main, content: new Uint8Array() }, log])).toEqual(['bash', 'curl'])
  })

  test('does not count a transaction that is not complete, nor what comes behind damage', async () => {
    install('bash')
    database.run('pragma wal_checkpoint(truncate)')
    install('curl')
    const first = files()
    install('zlib')
    const { main, log } = files()
    const bytes = log.content instanceof Uint8Array ? log.content : new Uint8Array()
    const cut = bytes.slice(0, bytes.length - 100)
    expect(await packagesOf([main, { ...log, content: cut }])).toEqual(['bash', 'curl'])
    const damaged = bytes.slice()
    damaged.fill(0, damaged.length - 2000)
    expect(await packagesOf([main, { ...log, content: damaged }])).toEqual(['bash', 'curl'])
    const other = bytes.slice()
    other[17] = (other[17] ?? 0) ^ 1
    expect(await packagesOf([main, { ...log, content: other }])).toEqual(['bash'])
    expect(await packagesOf([main, first.log])).toEqual(['bash', 'curl'])
  })

  test('an empty log says nothing', async () => {
    install('bash')
    database.run('pragma wal_checkpoint(truncate)')
    const { main, log } = files()
    expect(await packagesOf([main, log])).toEqual(['bash'])
    expect(await packagesOf([main], [log])).toEqual(['bash'])
  })

  test('in another layer: above, nothing may be concluded; below, it is in the database already', async () => {
    install('bash')
    const { log } = files()
    database.run('pragma wal_checkpoint(truncate)')
    install('curl')
    const { main, log: later } = files()
    await expect(packagesOf([main], [later])).rejects.toThrow('cannot be read')
    expect(await packagesOf([log], [main])).toEqual(['bash'])
    expect(await packagesOf([main, later], [{ path: `${RPM}/.wh.rpmdb.sqlite-wal` }])).toEqual(['bash', 'curl'])
  })
})

test('a database of another format beside it is an older one; one elsewhere is another one', async () => {
  install('bash')
  const noise = new Uint8Array(512).fill(1)
  const { main, log } = files()
  expect(await packagesOf([main, log, { path: `${RPM}/Packages`, content: noise }])).toEqual(['bash'])
  await expect(packagesOf([main, log, { path: 'usr/share/rpm/Packages', content: noise }])).rejects.toThrow(
    'The package database usr/share/rpm/Packages cannot be read',
  )
})

test('a log is the database that SQLite itself would find', () => {
  install('bash', 'curl')
  const { main, log } = files()
  if (!(main.content instanceof Uint8Array) || !(log.content instanceof Uint8Array)) throw new Error('files have bytes')
  expect(holdsTransactions(log.content)).toBe(true)
  const ours = withLog(main.content, log.content)
  database.run('pragma wal_checkpoint(truncate)')
  const theirs = readFileSync(join(directory, 'rpmdb.sqlite'))
  expect(Buffer.from(ours).equals(theirs)).toBe(true)
})
