import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import type { RunningApp } from '../../src/cli/running-app.ts'
import { EventCommands } from '../../src/services/events/event-commands.ts'
import { eventAt } from '../suites/metadata-store-outbox.ts'
import { admin, createServices, registry, type Services } from '../support/service-fixture.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

const ARN = `arn:aws:ecru:${registry.region}:${registry.registryId}:event-target/log`

let directory: string
let services: Services
let manageEvents: RunningApp['manageEvents']

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
  services = await createServices({ eventDestinations: new Map([['log', { kind: 'stdout' }]]) })
  const commands = new EventCommands(services.eventLog, async ({ region }) => `secret of ${region}`, registry)
  manageEvents = (command, parameters) => commands.run(command, parameters)
  const caller = { principal: admin, region: registry.region }
  await services.eventRules.put(caller, { name: 'all' }, { pattern: '{"source":["aws.ecr"]}' })
  await services.eventTargets.put(caller, { name: 'all' }, [{ name: 't', settings: { arn: ARN } }])
  for (const at of [1, 2, 3])
    await services.metadata.transact(async (tx) => {
      await tx.outbox.append(eventAt(at))
    })
})
afterEach(async () => {
  await services.close()
  await rm(directory, { recursive: true, force: true })
})

async function run(...line: readonly string[]) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const exitCode = await runCli(['events', ...line], terminal, fakeApp({ manageEvents }))
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}
const positions = (said: string) =>
  said
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { position: number }).position)

test('tail prints the newest events, or those behind a position', async () => {
  expect(positions((await run('tail', '--no-follow', '--lines', '2')).said)).toEqual([2, 3])
  expect(positions((await run('tail', '--no-follow', '--after', '1')).said)).toEqual([2, 3])
  const { exitCode, complained } = await run('tail', '--no-follow', '--after', 'x')
  expect([exitCode !== 0, complained]).toEqual([true, expect.stringContaining('must be a whole number')])
})

test('status tells how far targets are, and fails when one is in trouble', async () => {
  const well = await run('status')
  expect(well.exitCode).toBe(0)
  expect(well.said).toMatch(/all +t +3 +0/)
  const [placed] = await services.metadata.view.eventRules.listActive()
  const trouble = { position: 1, attempts: 2, since: new Date(0), retryAt: new Date(0), reason: 'it is gone' }
  await services.metadata.transact((tx) => tx.eventRules.noteTrouble(placed?.target.id ?? 0, 0, trouble))
  const { exitCode, said } = await run('status')
  expect([exitCode, said]).toEqual([1, expect.stringContaining('it is gone')])
})

test('replay says from where on, or why not', async () => {
  expect((await run('replay', '--rule', 'all', '--from', '2')).said).toBe('From position 2 on: t\n')
  const byTime = await run('replay', '--rule', 'all', '--from', '2000-01-01T00:00:00Z', '--json')
  expect(JSON.parse(byTime.said)).toEqual({ rule: 'all', targets: ['t'], position: 1 })
  expect((await run('replay', '--rule', 'none', '--from', '2')).complained).toContain('Rule none does not exist')
  expect((await run('replay', '--rule', 'all', '--from', 'now')).complained).toContain('must be a position or a time')
  expect((await run('replay', '--from', '1')).exitCode).not.toBe(0)
})

test('dead letters are listed and forgotten', async () => {
  expect((await run('dead-letters')).said).toBe('Nothing was given up.\n')
  await services.metadata.transact((tx) =>
    tx.eventRules.addDeadLetter({
      ...{ registry, ruleName: 'all', targetName: 't', targetArn: ARN, position: 1, attempts: 3 },
      ...{ reason: 'The endpoint answered 404', at: new Date(0), input: '{}' },
    }),
  )
  expect((await run('dead-letters')).said).toContain('The endpoint answered 404')
  expect((await run('dead-letters', '--forget', '1')).said).toContain('1')
  expect((await run('dead-letters', '--json')).said).toContain('"deadLetters": []')
})

test('the secret of webhooks is that of the account and region', async () => {
  expect((await run('secret', '--region', 'eu-central-1')).said).toBe('secret of eu-central-1\n')
  expect((await run('secret', '--account', 'x')).exitCode).not.toBe(0)
})
