import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
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
  const exitCode = await runCli(['iam', ...line], terminal, fakeApp(app))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

const ASKED = ['explain', '--principal', 'arn:aws:iam::000000000000:user/ci', '--action', 'ecr:PutImage']

test('ecru iam explain shows the decision and the statements as a table', async () => {
  const { exitCode, said } = await run([
    ...ASKED,
    '--context',
    'aws:SourceIp=10.1.2.3',
    'aws:TagKeys=a',
    'aws:TagKeys=b',
  ])
  expect(exitCode).toBe(0)
  expect(said).toBe(
    [
      'arn:aws:iam::000000000000:user/ci',
      'ecr:PutImage on *',
      'Denied with an explicit deny.',
      '',
      'kind      policy  statement  effect  outcome',
      'identity  push    #1         Deny    applies to {"aws:sourceip":["10.1.2.3"],"aws:tagkeys":["a","b"]}',
      '',
    ].join('\n'),
  )
})

test('ecru iam explain prints JSON too', async () => {
  const { said } = await run([...ASKED, '--resource', 'arn:aws:ecr:r:a:repository/b', '--json'])
  expect(JSON.parse(said)).toMatchObject({ outcome: 'denied', resource: 'arn:aws:ecr:r:a:repository/b' })
})

test('ecru iam explain says what is wrong', async () => {
  const explainAccess = async () => {
    throw invalidParameters('There is no such user.')
  }
  const refused = await run(ASKED, { explainAccess })
  expect([refused.exitCode, refused.complained]).toEqual([1, 'There is no such user.\n'])
  expect((await run([...ASKED, '--context', 'nonsense'])).complained).toContain("not 'nonsense'")
  expect((await run(['explain'])).exitCode).toBe(2)
})
