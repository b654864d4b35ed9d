import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import type { RunningApp } from '../../src/cli/running-app.ts'
import { parseSigningProfile } from '../../src/domain/signing/profile.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

const ARN = 'arn:aws:signer:eu-west-3:123456789012:/signing-profiles/release'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function run(line: readonly string[], app: Partial<RunningApp> = {}) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const exitCode = await runCli(['signing', ...line], terminal, fakeApp(app))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

describe('ecru signing certificate', () => {
  test('prints the certificate as PEM, or all that is known of it as JSON', async () => {
    expect(await run(['certificate', ARN])).toEqual({ exitCode: 0, said: 'PEM\n', complained: '' })
    const { said } = await run(['certificate', ARN, '--json'])
    expect(JSON.parse(said)).toEqual({ signingProfileArn: ARN, certificate: 'PEM\n' })
  })

  test('says what is wrong', async () => {
    const signingCertificate = async (arn: string) => parseSigningProfile(arn)
    const { exitCode, complained } = await run(['certificate', 'release'], { signingCertificate })
    expect([exitCode, complained]).toEqual([1, expect.stringContaining('signingProfileArn')])
    expect((await run(['certificate'])).exitCode).toBe(2)
  })

  test('has examples', async () => {
    for (const line of [['--help'], ['certificate', '--help']])
      expect((await run(line)).said).toContain(`ecru signing certificate`)
  })
})
