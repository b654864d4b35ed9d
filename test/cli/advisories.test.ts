import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../../src/app.ts'
import { runCli } from '../../src/cli/program.ts'
import { osvRecord, RecordDirectory } from '../support/advisory-data.ts'
import { fakeTerminal } from './fake-surroundings.ts'

let directory: string
let records: RecordDirectory

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ecru-cli-advisories-'))
  records = new RecordDirectory()
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
  records[Symbol.dispose]()
})

async function run(...line: readonly string[]) {
  const terminal = fakeTerminal()
  const exitCode = await runCli(['advisories', ...line, '--data-dir', directory], terminal, createApp)
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

test('advisories are imported and told of without a server; their absence and their age fail the status', async () => {
  const absent = await run('status')
  expect([absent.exitCode, absent.said]).toEqual([1, expect.stringMatching(/state +absent/)])

  const modified = new Date(Date.now() - 3_600_000).toISOString()
  records.put(osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'zlib', '1.2.14'], { modified }))
  const imported = await run('import', records.path)
  expect([imported.exitCode, imported.said]).toEqual([0, expect.stringMatching(/added count +1\n/)])
  expect(imported.complained).toContain('1/1 DEBIAN-CVE-2026-2.json')

  const present = await run('status')
  expect([present.exitCode, present.said]).toEqual([0, expect.stringMatching(/Debian:12 +1 +20/)])
  const { ecosystems } = JSON.parse((await run('status', '--json')).said)
  expect(ecosystems).toMatchObject([{ ecosystem: 'Debian:12', recordCount: 1, newestModifiedAt: modified }])
})

test('who wrote the records is kept, and told', async () => {
  records.put(osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'zlib', '1.2.14']))
  await run('import', records.path)
  expect((await run('status')).said).toMatch(/sources +osv\n/)
  records.put(osvRecord('VENDOR-2026-1', ['Debian:12', 'zlib', '1.2.14']))
  await run('import', join(records.path, 'VENDOR-2026-1.json'), '--source', 'vendor-csaf')
  const { sources } = JSON.parse((await run('status', '--json')).said)
  expect(sources).toEqual(['osv', 'vendor-csaf'])
})

test.each(['', 'two words', 'a/b'])('a source is not named %p', async (source) => {
  records.put(osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'zlib', '1.2.14']))
  const refused = await run('import', records.path, '--source', source)
  expect([refused.exitCode, refused.complained]).toEqual([1, expect.stringContaining('A source is named with')])
})

test('old advisories fail the status, and say so', async () => {
  records.put(osvRecord('DEBIAN-CVE-2020-2', ['Debian:12', 'zlib', '1.2.14'], { modified: '2020-01-01T00:00:00Z' }))
  await run('import', records.path)
  const { exitCode, said } = await run('status')
  expect([exitCode, said]).toEqual([1, expect.stringContaining('too old')])
})

test('what cannot be imported, and a source that nobody named, fail in words', async () => {
  await run('status')
  expect(await run('import', join(directory, 'nothing'))).toMatchObject({
    exitCode: 1,
    complained: `There is no ${join(directory, 'nothing')}.\n`,
  })
  expect((await run('fetch')).complained).toContain('ECRU_ADVISORIES_SOURCE')
})
