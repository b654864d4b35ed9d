import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import type { RunningApp } from '../../src/cli/running-app.ts'
import { parseImageName } from '../../src/domain/image-name.ts'
import { registry } from '../support/service-fixture.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function run(line: readonly string[], app: Partial<RunningApp> = {}) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const exitCode = await runCli(['sbom', ...line], terminal, fakeApp(app))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

const inspect: RunningApp['inspect'] = async (command, parameters) =>
  command === 'sbom/write' ? { document: parameters } : { ...parameters, isNew: true }

describe('ecru sbom', () => {
  test('prints the document and nothing else', async () => {
    const { exitCode, said } = await run(['app:v1', '--platform', 'linux/arm64'], { inspect })
    expect([exitCode, JSON.parse(said)]).toEqual([0, { image: 'app:v1', format: 'cyclonedx', platform: 'linux/arm64' }])
  })

  test('says what was attached, in words or as JSON', async () => {
    expect((await run(['app:v1', '--attach', '--format', 'spdx'], { inspect })).said).toContain('spdx')
    const { said } = await run(['app:v1', '--attach', '--json'], { inspect })
    expect(JSON.parse(said)).toEqual({ image: 'app:v1', format: 'cyclonedx', isNew: true })
  })

  test('says what is wrong', async () => {
    const failing: RunningApp['inspect'] = async (_, { image = '' }) => parseImageName(image, registry)
    const { exitCode, complained } = await run(['APP'], { inspect: failing })
    expect([exitCode, complained]).toEqual([1, expect.stringContaining('repositoryName')])
    expect((await run([])).exitCode).toBe(2)
    expect((await run(['--help'])).said).toContain('ecru sbom team/app')
  })
})
