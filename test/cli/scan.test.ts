import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import type { RunningApp } from '../../src/cli/running-app.ts'
import type { FindingsReport, ReportedFinding } from '../../src/domain/scanning/report.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function run(line: readonly string[], inspect: RunningApp['inspect']) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const exitCode = await runCli(line, terminal, fakeApp({ inspect }))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}

function findingOf(id: string, changes: Partial<ReportedFinding> = {}): ReportedFinding {
  return {
    id,
    aliases: [],
    severity: 'HIGH',
    packageName: 'openssl',
    packageType: 'deb',
    purl: 'pkg:deb/debian/openssl@3.0.9-1',
    layerDigest: `sha256:${'b'.repeat(64)}`,
    installedVersion: '3.0.9-1',
    fixedVersions: ['3.0.10-1'],
    title: '',
    description: 'A flaw.',
    url: 'https://example.com/CVE',
    cvss: [],
    isExploitAvailable: false,
    firstObservedAt: new Date(0),
    imageDigest: `sha256:${'a'.repeat(64)}`,
    status: { kind: 'active' },
    ...changes,
  }
}

const REPORT: FindingsReport = {
  repository: 'app',
  registryId: '000000000000',
  digest: `sha256:${'a'.repeat(64)}`,
  scanType: 'ENHANCED',
  status: 'ACTIVE',
  description: 'Continuous scan is selected for image.',
  completedAt: new Date('2026-03-01T00:00:00Z'),
  counts: { HIGH: 1, LOW: 1 },
  findings: [
    findingOf('CVE-2026-1'),
    findingOf('CVE-2026-2', { severity: 'LOW', fixedVersions: [], filePath: 'app/a b.jar' }),
    findingOf('CVE-2026-3', { status: { kind: 'suppressed', by: 'vex', source: 'x', reason: 'not_affected' } }),
  ],
}

const reporting = (changes: Partial<FindingsReport> = {}): RunningApp['inspect'] => {
  return async () => ({ ...REPORT, ...changes })
}

interface Sarif {
  readonly version: string
  readonly runs: readonly {
    readonly tool: {
      readonly driver: { readonly rules: readonly { readonly id: string; readonly properties: object }[] }
    }
    readonly invocations: readonly { readonly executionSuccessful: boolean }[]
    readonly results: readonly {
      readonly ruleId: string
      readonly ruleIndex: number
      readonly level: string
      readonly message: { readonly text: string }
      readonly locations: readonly object[]
      readonly suppressions?: readonly object[]
    }[]
  }[]
}

describe('ecru scan', () => {
  test('prints a table', async () => {
    const { exitCode, said } = await run(['scan', 'app:v1'], reporting())
    expect(exitCode).toBe(0)
    expect(said).toContain('enhanced scan: ACTIVE, 2026-03-01T00:00:00.000Z\nHIGH 1, LOW 1\n')
    expect(said).toMatch(/HIGH +CVE-2026-1 +openssl +3\.0\.9-1 +3\.0\.10-1\n/)
    expect(said).toMatch(/LOW +CVE-2026-2 .* none\n/)
    expect(said).toContain('set aside (vex): not_affected')
  })

  test('prints JSON, from a severity on, and ends as asked for', async () => {
    const line = ['scan', 'app:v1', '--format', 'json', '--severity', 'high', '--exit-code', '7']
    const { exitCode, said } = await run(line, reporting())
    expect(exitCode).toBe(7)
    const { findings, counts } = JSON.parse(said) as FindingsReport
    expect([findings.map(({ id }) => id), counts]).toEqual([['CVE-2026-1', 'CVE-2026-3'], { HIGH: 1, LOW: 1 }])
    const critical = ['scan', 'app:v1', '--severity', 'CRITICAL', '--exit-code', '7']
    expect((await run(critical, reporting())).exitCode).toBe(0)
    const setAside = reporting({ findings: REPORT.findings.slice(2) })
    expect((await run(['scan', 'app:v1', '--exit-code', '7'], setAside)).exitCode).toBe(0)
  })

  test('prints SARIF', async () => {
    const { said } = await run(['scan', 'app:v1', '--format', 'sarif'], reporting())
    const { version, runs } = JSON.parse(said) as Sarif
    const [sarif] = runs
    expect([version, runs.length, sarif?.invocations[0]?.executionSuccessful]).toEqual(['2.1.0', 1, true])
    const rules = sarif?.tool.driver.rules ?? []
    expect(rules.map(({ id, properties }) => [id, properties])).toEqual([
      ['CVE-2026-1', { 'security-severity': '8.0', tags: ['security', 'vulnerability', 'HIGH'] }],
      ['CVE-2026-2', { 'security-severity': '2.0', tags: ['security', 'vulnerability', 'LOW'] }],
      ['CVE-2026-3', { 'security-severity': '8.0', tags: ['security', 'vulnerability', 'HIGH'] }],
    ])
    for (const { ruleId, ruleIndex } of sarif?.results ?? []) expect(rules[ruleIndex]?.id).toBe(ruleId)
    expect(sarif?.results[0]).toMatchObject({
      level: 'error',
      message: { text: 'openssl 3.0.9-1 has CVE-2026-1 (HIGH); fixed in 3.0.10-1.' },
      locations: [{ physicalLocation: { artifactLocation: { uri: 'app' } } }],
    })
    expect(sarif?.results[1]).toMatchObject({
      level: 'note',
      locations: [{ physicalLocation: { artifactLocation: { uri: 'app/a%20b.jar' } } }],
    })
    expect(sarif?.results.map(({ suppressions = [] }) => suppressions.length)).toEqual([0, 0, 1])
  })

  test('says what could not be seen, though nothing was found', async () => {
    const description = 'Continuous scan is selected for image. DEBIAN_10 is past its end of life\u001b[2J.'
    const { exitCode, said } = await run(['scan', 'app:v1'], reporting({ description, findings: [], counts: {} }))
    expect(exitCode).toBe(0)
    expect(said).toContain('\nDEBIAN_10 is past its end of life\ufffd[2J.\nnothing found\n')
    const sarif = await run(['scan', 'app:v1', '--format', 'sarif'], reporting({ description }))
    expect(JSON.parse(sarif.said)).toMatchObject({
      runs: [{ invocations: [{ executionSuccessful: true, toolExecutionNotifications: [{ level: 'warning' }] }] }],
    })
  })

  test('fails when the scan could not tell, in every format', async () => {
    const failed = reporting({ status: 'FAILED', description: 'No advisories.', findings: [], counts: {} })
    for (const format of ['table', 'json', 'sarif']) {
      const { exitCode, complained, said } = await run(['scan', 'app:v1', '--format', format], failed)
      expect([exitCode, complained]).toEqual([1, 'The scan could not tell: FAILED. No advisories.\n'])
      expect(said).not.toContain('nothing found')
      if (format === 'sarif') expect(said).toContain('"executionSuccessful": false')
    }
  })

  test.each([
    ['--format', 'xml'],
    ['--severity', 'BAD'],
    ['--exit-code', '300'],
  ])('refuses %s %s', async (flag, value) => {
    expect((await run(['scan', 'app:v1', flag, value], reporting())).exitCode).toBe(1)
  })
})

describe('ecru admission and suppressions', () => {
  const echo: RunningApp['inspect'] = async (command, parameters) => ({ command, ...parameters })

  test('say what is wanted', async () => {
    const flags = ['--severity', 'HIGH', '--max-age', '30d', '--dry-run', '--ignore-unfixed', '--region', 'eu-west-3']
    const exempt = ['--exempt-principal', 'arn:a', 'arn:b', '--exempt-image', 'sha256:1=2027-01-31']
    const { said } = await run(['admission', 'set', 'team/*', ...flags, ...exempt, '--json'], echo)
    expect(JSON.parse(said)).toEqual({
      command: 'admission/set',
      repositories: 'team/*',
      severity: 'HIGH',
      'ignore-unfixed': 'true',
      'max-age-seconds': '2592000',
      'dry-run': 'true',
      'exempt-principals': 'arn:a arn:b',
      'exempt-images': 'sha256:1=2027-01-31',
      region: 'eu-west-3',
    })
    const line = [
      'suppressions',
      'add',
      'CVE-1',
      '--reason',
      'why',
      '--package',
      'x',
      '--until',
      '2027-01-31',
      '--json',
    ]
    expect(JSON.parse((await run(line, echo)).said)).toEqual({
      command: 'suppressions/add',
      vulnerability: 'CVE-1',
      package: 'x',
      reason: 'why',
      until: '2027-01-31',
    })
    expect((await run(['admission', 'set', '*', '--max-age', 'long'], echo)).exitCode).toBe(1)
    expect((await run(['suppressions', 'add', 'CVE-1'], echo)).exitCode).toBe(2)
  })

  test('print tables', async () => {
    const rule = {
      repositories: '*',
      severity: 'HIGH',
      ignoresUnfixed: true,
      isDryRun: true,
      exemptPrincipals: ['arn:a'],
    }
    const rules = { rules: [{ ...rule, ageMsMax: 60_000, exemptDigests: [{ digest: 'sha256:1' }] }] }
    expect((await run(['admission', 'list'], async () => rules)).said).toMatch(
      /\n\* +HIGH, fixable +60 s +on trial +arn:a sha256:1\n$/,
    )
    expect((await run(['admission', 'show', 'app'], async () => ({ rules: [] }))).said).toContain('No rule')
    expect((await run(['admission', 'remove', '*'], echo)).said).toContain('*')
    const suppression = { id: '1', vulnerability: 'CVE-1', reason: 'why', expiresAt: new Date(0), isExpired: true }
    const answer = async () => ({ suppressions: [suppression] })
    expect((await run(['suppressions', 'list'], answer)).said).toMatch(/1 +CVE-1 +\* +\* +1970-01-01 \(over\) +why\n$/)
  })
})
