import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openOther } from '../../src/cli/other-registry.ts'
import { runCli } from '../../src/cli/program.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function run(...line: readonly string[]) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const exitCode = await runCli(line, terminal, fakeApp())
  return [exitCode, terminal.complained()] as const
}

test('what cannot be understood is said before anything is begun', async () => {
  expect(await run('export', join(directory, 'x'))).toEqual([2, expect.stringContaining('--all')])
  expect(await run('export', join(directory, 'x'), 'a', '--all')).toEqual([2, expect.stringContaining('--all')])
  expect(await run('import', join(directory, 'nowhere'))).toEqual([1, expect.stringContaining('There is nothing at')])
  await writeFile(join(directory, 'file.tar.gz'), Buffer.from([0x1f, 0x8b, ...Array(600).fill(7)]))
  expect(await run('import', join(directory, 'file.tar.gz'))).toEqual([
    1,
    expect.stringContaining('cannot be unpacked'),
  ])
  expect(await run('sync', 'r.example.com/a', '--semver', 'new')).toEqual([2, expect.stringContaining('no range')])
  expect(await run('sync', 'r.example.com/a/*', 'b')).toEqual([2, expect.stringContaining('--prefix')])
  expect(await run('sync', 'r.example.com/a:b', '--tags', 'c')).toEqual([2, expect.stringContaining('One image')])
  expect(await run('sync', 'registry.example.com/@')).toEqual([2, expect.stringContaining('names no repository')])
})

test('names of repositories elsewhere are read as clients read them', () => {
  const read = (text: string) => {
    const { client, repository, tag, digest } = openOther(text, {}, fakeTerminal({ HOME: directory }))
    return [client.host, repository, tag, digest]
  }
  const digest = `sha256:${'a'.repeat(64)}`
  expect(read('alpine:3.20')).toEqual(['registry-1.docker.io', 'library/alpine', '3.20', undefined])
  expect(read('docker.io/grafana/grafana')).toEqual(['registry-1.docker.io', 'grafana/grafana', undefined, undefined])
  expect(read('localhost:5000/a/b:c')).toEqual(['localhost:5000', 'a/b', 'c', undefined])
  expect(read(`https://r.example.com/a@${digest}`)).toEqual(['r.example.com', 'a', undefined, digest])
  expect(() => read('r.example.com/a@sha256:short')).toThrow('names no repository')
})
