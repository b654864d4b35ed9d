import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runCli } from '../../src/cli/program.ts'
import { parseRegion, parseRegistryId } from '../../src/domain/names.ts'
import { admin, createServices, pushImage, refTo, registry, type Services } from '../support/service-fixture.ts'
import { fakeApp, fakeTerminal } from './fake-surroundings.ts'

const FAR = { registryId: registry.registryId, region: parseRegion('us-east-1') }
const OTHER = { registryId: parseRegistryId('222222222222'), region: registry.region }
const ref = refTo('team/app')

let directory: string
let services: Services

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-cli-'))
  services = await createServices({ replicatedDeletions: 'asked' })
  await services.repositories.create(admin, ref)
})
afterEach(async () => {
  await services.close()
  await rm(directory, { recursive: true, force: true })
})

async function run(...line: readonly string[]) {
  const terminal = fakeTerminal({ ECRU_DATA_DIR: directory })
  const app = fakeApp({ replicate: (command, parameters) => services.replicationCommands.run(command, parameters) })
  const exitCode = await runCli(['replication', ...line], terminal, app)
  return { exitCode, said: terminal.said(), complained: terminal.complained() }
}
const configure = () =>
  services.replication.putConfiguration(admin, registry, { rules: [{ destinations: [FAR, OTHER] }] })
const lines = (said: string) => said.split('\n').map((line) => line.replaceAll(/ +/g, ' ').trim())

test('status tells for each destination what is pending, for how long, and what has failed; then it ends with 1', async () => {
  expect(await run('status')).toEqual({ exitCode: 0, said: 'Everything has been copied.\n', complained: '' })
  await configure()
  const digest = await pushImage(services, ref, 'one', 'v1', 'latest')
  services.clock.advance(90_000)
  const pending = await run('status')
  expect(pending.exitCode).toBe(0)
  expect(lines(pending.said)).toEqual([
    'DESTINATION PENDING FAILED LAG (S)',
    '123456789012/us-east-1 1 0 90',
    '222222222222/eu-west-3 1 0 90',
    '',
    'WHAT IMAGE TAGS DESTINATION STATUS ATTEMPTS REASON',
    `copy 123456789012/eu-west-3/team/app@${digest} v1,latest 123456789012/us-east-1 IN_PROGRESS 0`,
    `copy 123456789012/eu-west-3/team/app@${digest} v1,latest 222222222222/eu-west-3 IN_PROGRESS 0`,
    '',
  ])
  await services.replicationJobs.replicateNow()
  const failed = await run('status')
  expect(failed.exitCode).toBe(1)
  expect(failed.said).toMatch(/222222222222\/eu-west-3 +FAILED +0 +.*not authorized to perform: ecr:ReplicateImage/)
  expect(failed.said).not.toContain('us-east-1')
  const told = JSON.parse((await run('status', '--json')).said) as { readonly images: readonly object[] }
  expect(told.images).toMatchObject([{ status: 'FAILED', failureCode: 'AccessDenied' }])
})

test('status tells of deletions as well', async () => {
  await configure()
  const digest = await pushImage(services, ref, 'one', 'v1', 'v2')
  await services.replicationJobs.replicateNow()
  await services.imageDeletion.deleteMany(admin, ref, [{ tag: 'v1' }, { digest }])
  const told = lines((await run('status')).said)
  expect(told.filter((line) => line.startsWith('delete'))).toEqual([
    'delete 123456789012/eu-west-3/team/app v1 123456789012/us-east-1 IN_PROGRESS 0',
    'delete 123456789012/eu-west-3/team/app v1 222222222222/eu-west-3 IN_PROGRESS 0',
    `delete 123456789012/eu-west-3/team/app@${digest} v2 123456789012/us-east-1 IN_PROGRESS 0`,
    `delete 123456789012/eu-west-3/team/app@${digest} v2 222222222222/eu-west-3 IN_PROGRESS 0`,
  ])
})

test('backfill and retry say how much they have asked for, and for nothing that is no registry', async () => {
  await pushImage(services, ref, 'one', 'v1')
  await configure()
  expect((await run('backfill')).said).toMatch(/requested +1/)
  expect((await run('backfill', '--json')).said).toBe('{\n  "requested": 0\n}\n')
  expect((await run('backfill', '--account', '111111111111', '--region', 'eu-west-1')).said).toMatch(/requested +0/)
  await services.replicationJobs.replicateNow()
  expect((await run('retry')).said).toMatch(/requested +1/)
  const wrong = await run('backfill', '--account', 'mine')
  expect([wrong.exitCode === 0, wrong.complained !== '']).toEqual([false, true])
  expect((await run('retry', '--account', '111111111111')).exitCode).not.toBe(0)
})
