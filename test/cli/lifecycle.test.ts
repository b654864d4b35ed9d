import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import type { RunningApp } from '../../src/cli/running-app.ts'
import { lifecyclePolicyNotFound } from '../../src/domain/lifecycle/errors.ts'
import type { RepositoryRef } from '../../src/domain/names.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { startHttpServer } from '../../src/protocols/http/server.ts'
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
  const exitCode = await runCli(['lifecycle', ...line], terminal, fakeApp(app))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

const digest = `sha256:${'a'.repeat(64)}`
const pushedAt = new Date('2026-01-02T03:04:05.000Z')

const forecast = {
  repositoryName: 'team/app',
  imageCount: 1200,
  expiringCount: 3,
  transitioningCount: 1,
  lastEvaluatedAt: pushedAt,
  lastRun: { expiredCount: 7, transitionedCount: 0, failedCount: 2 },
  images: [
    { digest, tags: [], pushedAt, action: 'expire', rulePriority: 1 },
    { digest, tags: ['v1', 'v2', 'v3', 'v4', 'v5'], pushedAt, action: 'transition', rulePriority: 20 },
  ],
}

const report = {
  isElsewhere: false,
  repositories: 1,
  images: 1200,
  expiredImages: 2,
  archivedImages: 0,
  failures: 1,
  tookMs: 5,
  runs: [
    {
      registryId: '000000000000',
      region: 'us-east-1',
      repositoryName: 'team/app',
      startedAt: pushedAt,
      endedAt: pushedAt,
      imageCount: 1200,
      expiredCount: 2,
      transitionedCount: 0,
      followedCount: 1,
      changedCount: 0,
      failedCount: 1,
      actions: [],
      failures: [{ digest, tags: ['v9'], action: 'expire', rulePriority: 1, code: 'ImageReferencedByManifestList' }],
    },
  ],
}

describe('help', () => {
  for (const command of [['preview'], ['run'], []])
    test(`ecru lifecycle ${command.join(' ')} --help has examples`, async () => {
      const { exitCode, said } = await run([...command, '--help'])
      expect(exitCode).toBe(0)
      expect(said).toContain('Examples:\n  ecru lifecycle ')
    })

  for (const line of [[], ['preview'], ['preview', 'a', 'b'], ['nope'], ['run', '--nope']])
    test(`ecru lifecycle ${line.join(' ')} is not understood`, async () => {
      expect((await run(line)).exitCode).toBe(2)
    })
})

describe('preview', () => {
  test('says what would go, by which rule', async () => {
    const { exitCode, said } = await run(['preview', 'team/app'], { forecastLifecycle: async () => forecast })
    expect(exitCode).toBe(0)
    expect(said).toBe(
      [
        'repository name      team/app',
        'image count          1,200',
        'expiring count       3',
        'transitioning count  1',
        'last evaluated       2026-01-02T03:04:05.000Z',
        'last run             7 expired, 0 archived, 2 had to stay',
        '',
        `RULE  ACTION      PUSHED                    ${'DIGEST'.padEnd(71)}  TAGS`,
        `   1  expire      2026-01-02T03:04:05.000Z  ${digest}  (untagged)`,
        `  20  transition  2026-01-02T03:04:05.000Z  ${digest}  v1, v2, v3, +2`,
        '… and 2 more',
        '',
      ].join('\n'),
    )
  })

  test('is about the repository and registry that are named', async () => {
    const asked: RepositoryRef[] = []
    const forecastLifecycle = async (ref: RepositoryRef) => {
      asked.push(ref)
      return forecast
    }
    await run(['preview', 'team/app'], { forecastLifecycle })
    await run(['preview', 'app', '--account', '123456789012', '--region', 'eu-west-3'], { forecastLifecycle })
    expect<unknown>(asked).toEqual([
      { name: 'team/app', registry: { registryId: '000000000000', region: 'us-east-1' } },
      { name: 'app', registry: { registryId: '123456789012', region: 'eu-west-3' } },
    ])
  })

  test('prints everything as JSON when asked', async () => {
    const { said } = await run(['preview', 'team/app', '--json'], { forecastLifecycle: async () => forecast })
    expect(JSON.parse(said).images).toHaveLength(2)
  })

  test('says in a sentence what is wrong', async () => {
    const forecastLifecycle = async (ref: RepositoryRef) => {
      throw lifecyclePolicyNotFound(ref)
    }
    const { exitCode, complained } = await run(['preview', 'app'], { forecastLifecycle })
    expect(exitCode).toBe(1)
    expect(complained).toBe(
      "Lifecycle policy does not exist for the repository with name 'app' in the registry with id '000000000000'\n",
    )
    expect((await run(['preview', 'No Name'])).complained).not.toContain('    at ')
  })
})

describe('run', () => {
  test('says what was done, and what stayed', async () => {
    const { exitCode, said } = await run(['run', 'team/app'], { runLifecycle: async () => report })
    expect(exitCode).toBe(0)
    expect(said).toBe(
      [
        'repositories     1',
        'images           1,200',
        'expired images   2',
        'archived images  0',
        'failures         1',
        'took             5 ms',
        '',
        'REPOSITORY                       IMAGES  EXPIRED  ARCHIVED  ALONG  CHANGED  FAILED',
        '000000000000/us-east-1/team/app   1,200        2         0      1        0       1',
        '',
        `STAYED IN  ${'DIGEST'.padEnd(71)}  TAGS  BECAUSE`,
        `team/app   ${digest}  v9    ImageReferencedByManifestList`,
        '',
      ].join('\n'),
    )
  })

  test('is about one repository, or about all', async () => {
    const asked: unknown[] = []
    const runLifecycle = async (target: RepositoryRef | 'all') => {
      asked.push(target)
      return report
    }
    await run(['run', '--all'], { runLifecycle })
    expect(asked).toEqual(['all'])
    for (const line of [['run'], ['run', 'app', '--all']]) {
      const { exitCode, complained } = await run(line, { runLifecycle })
      expect(exitCode).toBe(1)
      expect(complained).toContain('--all')
    }
    expect(asked).toHaveLength(1)
  })

  test('fails when another process is at it', async () => {
    const runLifecycle = async () => ({ ...report, isElsewhere: true, runs: [] })
    const { exitCode, complained } = await run(['run', '--all'], { runLifecycle })
    expect(exitCode).toBe(1)
    expect(complained).toContain('Another process')
  })
})

test('a running server is asked', async () => {
  const asked: string[] = []
  const listening = { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 60_000, logger: silentLogger }
  const server = startHttpServer(listening, async (request) => {
    asked.push(`${request.method} ${request.url.slice(server.url.length)}`)
    return Response.json(request.url.includes('/run') ? report : forecast)
  })
  try {
    const { said } = await run(['preview', 'team/app', '--account', '123456789012', '--url', server.url])
    expect(said).toContain('… and 2 more')
    await run(['run', 'team/app', '--region', 'eu-west-3', '--url', server.url])
    await run(['run', '--all', '--url', server.url])
  } finally {
    await server.close(0)
  }
  expect(asked).toEqual([
    'POST /_ecru/lifecycle/preview?repository=team%2Fapp&account=123456789012',
    'POST /_ecru/lifecycle/run?repository=team%2Fapp&region=eu-west-3',
    'POST /_ecru/lifecycle/run?all=true',
  ])
})
