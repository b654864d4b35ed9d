import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import type { RunningApp } from '../../src/cli/running-app.ts'
import { FileAuditLog } from '../../src/stores/audit/files.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-audit-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function run(line: readonly string[], app: Partial<RunningApp> = {}) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const exitCode = await runCli(['audit', ...line], terminal, fakeApp(app))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

async function write(...names: readonly string[]): Promise<void> {
  const log = await FileAuditLog.open(join(directory, 'audit'), {
    key: new Uint8Array(32),
    clock: new FakeClock(new Date().toISOString()),
    fileBytesMax: 1e6,
    retentionMs: 1e12,
    totalBytesMax: 1e9,
    onSynced: async () => {},
    onFailure: (error) => expect(error).toBeUndefined(),
  })
  for (const eventName of names) {
    const userIdentity = { type: 'Root', arn: 'arn:aws:iam::000000000000:root' }
    const facts = { eventTime: '2026-05-01T00:00:00Z', eventSource: 'ecr.amazonaws.com', sourceIPAddress: '192.0.2.7' }
    log.append(JSON.stringify({ eventVersion: '1.11', userIdentity, eventName, ...facts }))
  }
  await log.close()
}

describe('ecru audit', () => {
  test('tail prints the newest records, in words or as they are', async () => {
    await write('CreateRepository', 'PutImage', 'BatchGetImage')
    const { said } = await run(['tail', '--lines', '2'])
    expect(said).toBe(
      ['ecr:PutImage', 'ecr:BatchGetImage']
        .map((what) => `2026-05-01T00:00:00Z  arn:aws:iam::000000000000:root  192.0.2.7  ${what}  ok\n`)
        .join(''),
    )
    const asJson = await run(['tail', '--lines', '1', '--json'])
    expect(JSON.parse(asJson.said)).toMatchObject({ eventName: 'BatchGetImage' })
  })

  test('tail says where there is nothing', async () => {
    const { exitCode, complained } = await run(['tail'])
    expect([exitCode, complained]).toEqual([1, expect.stringContaining('--data-dir')])
    await write('PutImage')
    expect((await run(['tail', '--lines', 'many'])).complained).toContain('whole number')
  })

  test('verify fails when something was done to the log', async () => {
    expect(await run(['verify'])).toMatchObject({ exitCode: 0, said: expect.stringMatching(/intact +yes/) })
    const broken = { isIntact: false, faults: ['Record 2 is not what was written.'] }
    const { exitCode, said } = await run(['verify'], { verifyAudit: async () => broken })
    expect([exitCode, said]).toEqual([1, expect.stringContaining('Record 2 is not what was written.')])
  })
})
