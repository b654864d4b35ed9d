import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../../src/app.ts'
import { runCli } from '../../src/cli/program.ts'
import { progressOn } from '../../src/cli/progress.ts'
import type { RunningApp } from '../../src/cli/running-app.ts'
import { invalidParameters } from '../../src/domain/errors.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function run(line: readonly string[], app: Partial<RunningApp> = {}) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const exitCode = await runCli(line, terminal, fakeApp(app))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

describe('ecru backup', () => {
  test('tells the registry where to, by an absolute path, and what for', async () => {
    const { exitCode, said } = await run(['backup', 'there', '--keep', '3', '--include-keys', '--json'])
    expect(exitCode).toBe(0)
    expect(JSON.parse(said)).toMatchObject({ to: join(process.cwd(), 'there'), keep: 3, includesKeys: true })
    expect(JSON.parse((await run(['backup', '/there', '--json'])).said)).toMatchObject({ includesKeys: false })
  })

  test('fails when the registry has lost something, and says why it cannot be done', async () => {
    const faults = [{ digest: 'sha256:…', fault: 'missing' }]
    const lost = await run(['backup', '/there'], { backUp: async () => ({ faults }) })
    expect([lost.exitCode, lost.said, lost.complained]).toEqual([
      1,
      expect.stringContaining('missing'),
      expect.stringContaining('ecru scrub'),
    ])
    const backUp = () => Promise.reject(invalidParameters('Not there.'))
    expect(await run(['backup', '/there'], { backUp })).toMatchObject({ exitCode: 1, complained: 'Not there.\n' })
    expect((await run(['backup'])).exitCode).toBe(2)
  })
})

describe('ecru restore', () => {
  test('says in a sentence what is no backup, and what is in the way', async () => {
    const nothing = await run(['restore', join(directory, 'nowhere')])
    expect(nothing).toMatchObject({ exitCode: 1, complained: expect.stringContaining('There is no backup at') })
    await mkdir(join(directory, 'other'))
    for (const flags of [[], ['--list'], ['--verify-only']]) {
      const other = await run(['restore', join(directory, 'other'), ...flags])
      expect(other).toMatchObject({ exitCode: 1, complained: expect.stringContaining('is no backup') })
    }
  })

  test('a directory into which something is being restored is used by no other command', async () => {
    await writeFile(join(directory, 'restoring.json'), '{}')
    const { exitCode, complained } = await run(['gc'])
    expect([exitCode, complained]).toEqual([1, expect.stringContaining('is not all there')])
  })
})

describe('a backup through a pipe', () => {
  test('goes to standard output alone, is looked through on the way, and comes back from standard input', async () => {
    const data = join(directory, 'data')
    await mkdir(data)
    const pieces: Uint8Array[] = []
    const streams = {
      read: async function* () {
        yield* pieces
      },
      write: async (bytes: Uint8Array) => void pieces.push(bytes.slice()),
    }
    const ask = async (...line: string[]) => {
      const terminal = { ...fakeTerminal({}), streams }
      const exitCode = await runCli(line, terminal, createApp)
      return { exitCode, said: terminal.said(), complained: terminal.complained() }
    }
    const backup = await ask('backup', '-', '--json', '--include-keys', '--data-dir', data)
    expect([backup.exitCode, backup.said]).toEqual([0, ''])
    expect(JSON.parse(backup.complained)).toMatchObject({ to: 'standard output', blobs: 0, faults: [] })
    const verified = await ask('backup', 'verify', '-', '--json')
    expect([verified.exitCode, JSON.parse(verified.said)]).toEqual([0, expect.objectContaining({ damaged: [] })])
    const restored = await ask('restore', '-', '--json', '--data-dir', join(directory, 'restored'))
    expect([restored.exitCode, JSON.parse(restored.said)]).toEqual([0, expect.objectContaining({ damaged: [] })])
    const again = await ask('restore', '-', '--data-dir', join(directory, 'restored'))
    expect([again.exitCode, again.complained]).toEqual([1, expect.stringContaining('is not empty')])
    pieces.splice(1)
    const cut = await ask('backup', 'verify', '-')
    expect([cut.exitCode, cut.complained]).toEqual([1, expect.stringMatching(/cut off|no backup/)])
    expect(await ask('backup', '-', '--keep', '3', '--data-dir', data)).toMatchObject({
      exitCode: 2,
      complained: expect.stringContaining('an archive is one backup'),
    })
  })

  test('is said to be worth nothing without the master key, when that lies elsewhere', async () => {
    const said = await run(['backup', '/there', '--include-keys'], {
      backUp: async () => ({ faults: [], includesMasterKey: false }),
    })
    expect(said).toMatchObject({ exitCode: 0, complained: expect.stringContaining('keep a copy of the key elsewhere') })
  })
})

test('somebody who watches sees how far a long work is, and a program does not', async () => {
  const terminal = { ...fakeTerminal(), isWatched: true }
  let now = 0
  const progress = progressOn(terminal, true, () => now)
  for (; now < 1000; now += 50) progress.show(() => `${now} blobs`)
  progress.end()
  expect(terminal.complained().split('\r\u001b[K')).toEqual([
    '',
    '0 blobs',
    '200 blobs',
    '400 blobs',
    '600 blobs',
    '800 blobs',
    '',
  ])
  const silent = { ...fakeTerminal(), isWatched: true }
  progressOn(silent, false).show(() => 'never')
  progressOn(fakeTerminal(), true).show(() => 'never')
  expect(silent.complained()).toBe('')
})
