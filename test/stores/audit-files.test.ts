import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { appendFile, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FileAuditLog, type FileAuditLogOptions } from '../../src/stores/audit/files.ts'
import type { AuditHead, AuditLog, AuditSearch } from '../../src/stores/audit.ts'
import { FakeClock } from '../support/fake-clock.ts'

const DAY_MS = 24 * 3600 * 1000
let directory: string
let clock: FakeClock
let heads: AuditHead[]
const failures: Error[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-audit-'))
  clock = new FakeClock('2026-05-01T00:00:00.000Z')
  heads = []
})
afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
  expect(failures.splice(0)).toEqual([])
})

function openLog(more: Partial<FileAuditLogOptions> = {}): Promise<FileAuditLog> {
  return FileAuditLog.open(directory, {
    key: new Uint8Array(32).fill(7),
    clock,
    fileBytesMax: 1024 * 1024,
    retentionMs: 90 * DAY_MS,
    totalBytesMax: 1024 ** 3,
    onSynced: async (head) => {
      heads.push(head)
    },
    onFailure: (error) => failures.push(error),
    ...more,
  })
}

const event = (name: string, more = '') => JSON.stringify({ eventVersion: '1', eventName: name, more })

async function found(log: AuditLog, search: Partial<AuditSearch> = {}): Promise<string[]> {
  const names: string[] = []
  for await (const { record } of log.search({ containing: [], ...search }))
    names.push((JSON.parse(record) as { readonly eventName: string }).eventName)
  return names
}

async function withRecords(...names: string[]): Promise<void> {
  const log = await openLog()
  for (const name of names) log.append(event(name))
  await log.close()
}

const files = async () => (await readdir(directory)).sort().map((name) => join(directory, name))
const lastFile = async () => (await files()).at(-1) ?? ''

describe('the log', () => {
  test('gives records back newest first, also after a restart and over several files', async () => {
    let log = await openLog({ fileBytesMax: 400 })
    for (const name of ['a', 'b', 'c']) {
      log.append(event(name, 'x'.repeat(300)))
      expect((await found(log))[0]).toBe(name)
    }
    await log.close()
    log = await openLog()
    log.append(event('d'))
    expect(await found(log)).toEqual(['d', 'c', 'b', 'a'])
    expect((await files()).length).toBeGreaterThan(1)
    expect(await log.verify(heads.at(-1))).toMatchObject({ isIntact: true, records: 4, first: 1, faults: [] })
    await log.close()
  })

  test('goes on where a search stopped, and skips what does not hold the text', async () => {
    const log = await openLog()
    for (let at = 0; at < 5; at++) log.append(event(`n${at}`, at % 2 === 0 ? 'pair' : 'odd'))
    const [newest] = await Array.fromAsync(log.search({ containing: ['pair'] }))
    expect(await found(log, { containing: ['pair'], before: newest?.sequence ?? 0 })).toEqual(['n2', 'n0'])
    await log.close()
  })

  test('reads lines that are longer than a chunk', async () => {
    const log = await openLog()
    log.append(event('long', 'é'.repeat(400_000)))
    log.append(event('short'))
    expect(await found(log)).toEqual(['short', 'long'])
    await log.close()
  })

  test('begins a new file every day, leaves old ones unread, and removes them in the end', async () => {
    const log = await openLog()
    for (const name of ['day-1', 'day-2', 'day-3']) {
      log.append(event(name))
      expect((await found(log))[0]).toBe(name)
      clock.advance(DAY_MS)
    }
    expect(await found(log, { since: new Date('2026-05-02T12:00:00Z') })).toEqual(['day-3', 'day-2'])
    clock.advance(89 * DAY_MS)
    log.append(event('later'))
    await log.close()
    const again = await openLog()
    expect(await found(again)).not.toContain('day-1')
    expect(await again.verify(heads.at(-1))).toMatchObject({ isIntact: true, faults: [] })
    await again.close()
  })

  test('removes the oldest files when they are too large together', async () => {
    const log = await openLog({ fileBytesMax: 300, totalBytesMax: 2000 })
    for (let at = 0; at < 30; at++) {
      log.append(event(`n${at}`, 'x'.repeat(200)))
      await found(log)
    }
    await log.close()
    const again = await openLog()
    const names = await found(again)
    expect(names[0]).toBe('n29')
    expect(names.length).toBeLessThan(15)
    expect((await again.verify(heads.at(-1))).isIntact).toBeTrue()
    await again.close()
  })

  test('cuts off what a power loss tore, and goes on', async () => {
    await withRecords('a', 'b')
    await appendFile(await lastFile(), '{"seq":4,"mac":"torn')
    const log = await openLog()
    log.append(event('c'))
    expect(await found(log)).toEqual(['c', 'b', 'a'])
    expect((await log.verify(undefined)).isIntact).toBeTrue()
    await log.close()
  })

  test('keeps what a full disk does not take, and writes it later', async () => {
    const log = await openLog({ fileBytesMax: 1 })
    log.append(event('a'))
    await found(log)
    await rm(directory, { recursive: true })
    log.append(event('b'))
    await expect(found(log)).rejects.toThrow('ENOENT')
    // What was planned to be written later has been tried as well.
    await new Promise((resolve) => setImmediate(resolve))
    expect(failures.splice(0).length).toBeGreaterThan(0)
    await Bun.$`mkdir ${directory}`.quiet()
    log.append(event('c'))
    expect(await found(log)).toEqual(['c', 'b'])
    await log.close()
  })
})

describe('a check finds', () => {
  const check = async (head?: AuditHead) => {
    const log = await openLog()
    const report = await log.verify(head)
    await log.close()
    return report
  }
  const change = async (edit: (lines: string[]) => string[]) => {
    const file = await lastFile()
    const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
    await writeFile(file, `${edit(lines).join('\n')}\n`)
  }
  beforeEach(() => withRecords('a', 'b', 'c', 'd'))

  test('nothing where nothing was done', async () => {
    expect(await check(heads.at(-1))).toEqual({ isIntact: true, records: 4, files: 1, first: 1, last: 5, faults: [] })
  })

  test.each<[string, (lines: string[]) => string[]]>([
    ['a change', (lines) => lines.map((line) => line.replace('"b"', '"x"'))],
    ['a record that was taken out', (lines) => lines.toSpliced(2, 1)],
    ['a record twice', (lines) => lines.toSpliced(2, 0, lines[2] ?? '')],
    ['another order', ([head = '', a = '', b = '', ...rest]) => [head, b, a, ...rest]],
    ['a line that is none', (lines) => lines.toSpliced(2, 0, 'hello')],
    ['a beginning that is gone', (lines) => lines.slice(2)],
  ])('%s', async (_, edit) => {
    await change(edit)
    expect((await check(heads.at(-1))).isIntact).toBeFalse()
  })

  test('an end that was cut off, if it is known how far the log had come', async () => {
    const file = await lastFile()
    const text = await readFile(file, 'utf8')
    await truncate(file, text.lastIndexOf('{"seq":5'))
    expect((await check()).isIntact).toBeTrue()
    expect((await check(heads.at(-1))).faults).toEqual(['The log ends with record 4, and it has been at 5.'])
  })

  test('a log that somebody wrote anew without the secret', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'ecru-audit-forged-'))
    const log = await FileAuditLog.open(elsewhere, {
      key: new Uint8Array(32).fill(8),
      clock,
      fileBytesMax: 1e6,
      retentionMs: DAY_MS,
      totalBytesMax: 1e9,
      onSynced: async () => {},
      onFailure: (error) => failures.push(error),
    })
    log.append(event('forged'))
    await log.close()
    const [forged = ''] = await readdir(elsewhere)
    await writeFile(await lastFile(), await readFile(join(elsewhere, forged)))
    await rm(elsewhere, { recursive: true })
    expect((await check()).isIntact).toBeFalse()
  })
})
