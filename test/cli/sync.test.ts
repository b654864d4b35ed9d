import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createApp } from '../../src/app.ts'
import { runCli } from '../../src/cli/program.ts'
import type { CopyReport } from '../../src/moving/copy-images.ts'
import { buildImage, noise } from '../support/image-builder.ts'
import { type UpstreamOptions, UpstreamRegistry } from '../support/upstream-registry.ts'
import { fakeTerminal } from './fake-surroundings.ts'

const small = (seed: string) => buildImage(seed, { layers: [{ noise: noise(seed, 30_000) }, { base: 'same' }] })
const REPOSITORIES = ['team/app', 'team/tools', 'team/old-app', 'other/app']
const TAGS = ['1.0.0', 'v1.2.0', '2.0.0', 'latest']

let directory: string
let upstream: UpstreamRegistry

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-sync-'))
  await mkdir(join(directory, 'data'))
})
afterEach(async () => {
  await upstream.stop()
  await rm(directory, { recursive: true })
})

async function startUpstream(options: UpstreamOptions = {}): Promise<void> {
  upstream = await UpstreamRegistry.start(options)
  for (const name of REPOSITORIES) for (const tag of TAGS) upstream.addImage(small(`${name}/${tag}`), name, tag)
}

async function ecru(command: string, ...line: readonly string[]) {
  const terminal = fakeTerminal({ HOME: directory, SOURCE_PASSWORD: 'secret' })
  const exitCode = await runCli(
    [command, ...line, '--json', '--data-dir', join(directory, 'data')],
    terminal,
    createApp,
  )
  const said = terminal.said()
  const report = said === '' ? undefined : (JSON.parse(said) as CopyReport)
  return { exitCode, report, complained: terminal.complained() }
}

const source = (pattern: string) => `${upstream.url.host}/${pattern}`

test('repositories by pattern and tags by version, from a registry with bearer tokens; again, nothing moves', async () => {
  await startUpstream({ auth: 'bearer', password: 'secret' })
  const how = ['--exclude', 'team/old-*', '--semver', '>=1.0.0 <2', '--prefix', 'mirror/', '--source-user', 'user']
  const dry = await ecru('sync', source('team/*'), ...how, '--dry-run')
  expect(dry).toMatchObject({ exitCode: 0, report: { isDryRun: true, repositories: 2, tags: 4, copiedImages: 4 } })
  const first = await ecru('sync', source('team/*'), ...how)
  expect(first).toMatchObject({ exitCode: 0, report: { repositories: 2, tags: 4, copiedImages: 4, failures: [] } })
  upstream.asked.length = 0
  const second = await ecru('sync', source('team/*'), ...how)
  expect(second.report).toMatchObject({ copiedImages: 0, presentImages: 4, copiedBlobs: 0, copiedBytes: 0 })
  expect(upstream.asked.filter((line) => line.includes('/blobs/'))).toEqual([])
  upstream.addImage(small('newer'), 'team/app', 'v1.2.0')
  expect((await ecru('sync', source('team/*'), ...how)).report).toMatchObject({ copiedImages: 1, copiedBlobs: 2 })
  const exported = await ecru('export', join(directory, 'all.tar.zst'), '--all')
  expect(exported.report).toMatchObject({ repositories: 2, tags: 4, failures: [] })
})

test('a registry that refuses is named, and so is one that lists nothing', async () => {
  await startUpstream({ auth: 'basic', username: 'somebody' })
  const refused = await ecru('sync', source('team/*'), '--source-user', 'user')
  expect(refused).toMatchObject({ exitCode: 1, complained: expect.stringContaining('name them one by one') })
  await upstream.stop()
  await startUpstream()
  const nothing = await ecru('sync', source('nowhere/*'))
  expect(nothing).toMatchObject({
    exitCode: 1,
    complained: expect.stringContaining('There is no repository nowhere/*'),
  })
})

test('what fails of several repositories keeps no other one back, and is gone on with the next time', async () => {
  await startUpstream()
  upstream.fault = ({ path }, response) => {
    if (!path.includes('/team/tools/tags/')) return false
    response.writeHead(403).end()
    return true
  }
  const first = await ecru('sync', source('team/*'))
  expect(first).toMatchObject({ exitCode: 1, report: { tags: 8, failures: [{ image: 'team/tools' }] } })
  expect(first.complained).toContain('team/tools: ')
  upstream.fault = () => false
  const second = await ecru('sync', source('team/*'))
  expect(second).toMatchObject({ exitCode: 0, report: { tags: 12, copiedImages: 4, presentImages: 8, failures: [] } })
})

test('no more is asked for at a time than it was said', async () => {
  await startUpstream()
  let [now, most] = [0, 0]
  upstream.fault = async ({ path, method }) => {
    if (method !== 'GET' || !path.includes('/blobs/')) return false
    most = Math.max(most, ++now)
    await Bun.sleep(5)
    now--
    return false
  }
  expect((await ecru('sync', source('team/app'), '--parallel', '1')).report).toMatchObject({ failures: [] })
  expect(most).toBe(1)
  expect((await ecru('sync', source('team/app'), '--parallel', '100')).exitCode).toBe(2)
  expect((await ecru('sync', source('team/app'), '--semver', 'newest')).exitCode).toBe(2)
  expect(await ecru('sync', source('team/app'), 'X')).toMatchObject({
    ...{ exitCode: 2, complained: "'X' cannot be the name of a repository here: name another one.\n" },
  })
  expect((await ecru('export', join(directory, 'none'))).exitCode).toBe(2)
})

test('one image comes with what is signed by tags', async () => {
  await startUpstream()
  const { digest } = small('team/app/latest').manifest
  upstream.addImage(small('signature'), 'team/app', `${digest.replace(':', '-')}.sig`)
  expect((await ecru('sync', source('team/app:latest'))).report).toMatchObject({ tags: 2, failures: [] })
  expect((await ecru('sync', source(`team/app@${digest}`), 'other/one')).report).toMatchObject({ copiedImages: 2 })
})
