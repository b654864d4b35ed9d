import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
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
