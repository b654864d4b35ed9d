import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateRepositoryCommand,
  DescribeImageReplicationStatusCommand,
  PutRegistryPolicyCommand,
  PutReplicationConfigurationCommand,
} from '@aws-sdk/client-ecr'
import { push, servesEveryByte } from '../support/clients/wire.ts'
import { type BuiltImage, buildImage, buildIndex } from '../support/image-builder.ts'
import { ecrClient, freePort, loginPassword, type RunningRegistry, startRegistry } from '../support/start-registry.ts'

const HERE = 'us-east-1'
const THERE = 'eu-west-1'
const ACCOUNT = '000000000000'
const WITHIN_MS = 30_000

type Weather = 'fine' | '503' | '429' | 'garbage' | 'broken'

/** What lies between the two sites: passes everything on, or does what networks and servers do. */
function openRoad(target: () => string) {
  const state = { weather: 'fine' as Weather, requests: 0 }
  const server = Bun.serve({
    port: 0,
    hostname: '127.0.0.1',
    idleTimeout: 30,
    maxRequestBodySize: 1024 ** 3,
    async fetch(request) {
      state.requests++
      if (state.weather === '503') return new Response('no', { status: 503 })
      if (state.weather === '429') return new Response('no', { status: 429, headers: { 'retry-after': '1' } })
      if (state.weather === 'garbage') return new Response('<html>welcome</html>', { status: 200 })
      const { pathname, search } = new URL(request.url)
      const headers = new Headers(request.headers)
      headers.delete('host')
      const isUpload = request.method === 'PATCH'
      // Half of a layer, and then nothing more.
      const body = request.body && isUpload && state.weather === 'broken' ? firstChunk(request.body) : request.body
      if (state.weather === 'broken' && isUpload) headers.delete('content-length')
      const answer = await fetch(`${target()}${pathname}${search}`, {
        method: request.method,
        headers,
        body,
        redirect: 'manual',
      }).catch(() => new Response('gone', { status: 502 }))
      const told = new Headers(answer.headers)
      const location = told.get('location')
      if (location !== null) told.set('location', location.replace(target(), String(server.url).replace(/\/$/, '')))
      return new Response(answer.body, {
        status: isUpload && state.weather === 'broken' ? 500 : answer.status,
        headers: told,
      })
    },
  })
  return { state, url: String(server.url).replace(/\/$/, ''), close: () => server.stop(true) }
}

function firstChunk(body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  return new ReadableStream({
    async pull(controller) {
      const { value } = await reader.read()
      if (value !== undefined) controller.enqueue(value)
      controller.close()
      reader.cancel().catch(() => undefined)
    },
  })
}

describe('two sites', () => {
  let dir: string
  let home: RunningRegistry
  let away: RunningRegistry
  let road: ReturnType<typeof openRoad>
  let homePort: number
  let awayPort: number

  const startHome = () =>
    startRegistry({
      dataDir: join(dir, 'home'),
      port: homePort,
      env: { ECRU_REPLICATION_SITES: join(dir, 'sites.json') },
    })
  const startAway = () => startRegistry({ dataDir: join(dir, 'away'), port: awayPort })

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ecru-sites-'))
    ;[homePort, awayPort] = [await freePort(), await freePort()]
    road = openRoad(() => `http://127.0.0.1:${awayPort}`)
    await writeFile(join(dir, 'secret'), 'test\n')
    const site = { region: THERE, endpoint: road.url, accessKeyId: ACCOUNT, secretAccessKeyFile: join(dir, 'secret') }
    await writeFile(join(dir, 'sites.json'), JSON.stringify([site]))
    ;[home, away] = [await startHome(), await startAway()]
    const ecr = ecrClient(home.url)
    await ecr.send(new CreateRepositoryCommand({ repositoryName: 'team/app' }))
    const rules = [{ destinations: [{ region: THERE, registryId: ACCOUNT }] }]
    await ecr.send(new PutReplicationConfigurationCommand({ replicationConfiguration: { rules } }))
    ecr.destroy()
  }, 60_000)

  afterAll(async () => {
    await home?.stop()
    await away?.stop()
    road?.close()
    await rm(dir, { recursive: true, force: true })
  }, 60_000)

  const here = async () => ({ url: home.url, password: await loginPassword(home.url, ACCOUNT, HERE) })
  const there = async () => ({ url: away.url, password: await loginPassword(away.url, ACCOUNT, THERE) })

  async function statusOf(imageTag: string): Promise<string | undefined> {
    const ecr = ecrClient(home.url)
    try {
      const asked = new DescribeImageReplicationStatusCommand({ repositoryName: 'team/app', imageId: { imageTag } })
      return (await ecr.send(asked)).replicationStatuses?.[0]?.status
    } finally {
      ecr.destroy()
    }
  }

  async function arrives(imageTag: string): Promise<void> {
    const until = Date.now() + WITHIN_MS
    while ((await statusOf(imageTag)) === 'IN_PROGRESS' && Date.now() < until) await Bun.sleep(50)
    expect(await statusOf(imageTag)).toBe('COMPLETE')
  }

  const isThere = async (image: BuiltImage) => servesEveryByte(await there(), 'team/app', image)
  const advance = async (registry: RunningRegistry, advanceSeconds: number) =>
    (await fetch(`${registry.url}/_ecru/clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds }) })).status
  const tagThere = async (tag: string) => {
    const { url, password } = await there()
    const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
    const answer = await fetch(`${url}/v2/team/app/manifests/${tag}`, { method: 'HEAD', headers: { authorization } })
    return answer.headers.get('docker-content-digest')
  }

  test('what is pushed here can be pulled there by digest, indexes with what they list', async () => {
    const image = buildImage('first')
    await push(await here(), 'team/app', image, 'first')
    await arrives('first')
    expect(await isThere(image)).toBe(true)
    const index = buildIndex([buildImage('amd'), buildImage('arm')], 'oci')
    await push(await here(), 'team/app', index, 'multi')
    await arrives('multi')
    expect(await servesEveryByte(await there(), 'team/app', index)).toBe(true)
  }, 60_000)

  test('an hour without a connection loses nothing, and the last tag wins', async () => {
    await away.kill()
    const images = Array.from({ length: 5 }, (_, at) => buildImage(`partition-${at}`))
    for (const [at, image] of images.entries()) {
      await push(await here(), 'team/app', image, 'moving')
      await push(await here(), 'team/app', image, `cut-${at}`)
    }
    await Bun.sleep(200)
    expect(await statusOf('cut-0')).toBe('IN_PROGRESS')
    away = await startAway()
    expect(await advance(home, 3600)).toBe(200)
    for (const [at, image] of images.entries()) {
      await arrives(`cut-${at}`)
      expect(await isThere(image)).toBe(true)
    }
    expect(await tagThere('moving')).toBe(images[4]?.manifest.digest ?? '')
  }, 120_000)

  test('kill -9 of either side at any moment leaves nothing wrong, and everything arrives', async () => {
    const images: BuiltImage[] = []
    for (let round = 0; round < 6; round++) {
      const image = buildImage(`kill-${round}`)
      images.push(image)
      await push(await here(), 'team/app', image, `kill-${round}`)
      await Bun.sleep(round * 7)
      if (round % 2 === 0) {
        await home.kill()
        home = await startHome()
      } else {
        await away.kill()
        away = await startAway()
      }
      await advance(home, 3600)
    }
    for (const [round, image] of images.entries()) {
      await arrives(`kill-${round}`)
      expect(await isThere(image)).toBe(true)
    }
  }, 180_000)

  for (const weather of ['503', '429', 'garbage', 'broken'] as const)
    test(`an other side that answers ${weather} is tried again, and the status says so`, async () => {
      const image = buildImage(`weather-${weather}`)
      road.state.weather = weather
      await push(await here(), 'team/app', image, `weather-${weather}`)
      const before = road.state.requests
      const until = Date.now() + 10_000
      while (road.state.requests < before + 2 && Date.now() < until) await Bun.sleep(20)
      expect(await statusOf(`weather-${weather}`)).toBe('IN_PROGRESS')
      road.state.weather = 'fine'
      await advance(home, 3600)
      await arrives(`weather-${weather}`)
      expect(await isThere(image)).toBe(true)
    }, 60_000)

  test('the other side decides by its registry policy, and copies nothing onward', async () => {
    const ecr = ecrClient(away.url, ACCOUNT, THERE)
    const statement = {
      Sid: 'no',
      Effect: 'Deny',
      Principal: '*',
      Action: ['ecr:ReplicateImage'],
      Resource: [`arn:aws:ecr:${THERE}:${ACCOUNT}:repository/*`],
    }
    const rules = [{ destinations: [{ region: 'ap-south-1', registryId: ACCOUNT }] }]
    await ecr.send(new PutReplicationConfigurationCommand({ replicationConfiguration: { rules } }))
    await push(await here(), 'team/app', buildImage('onward'), 'onward')
    await arrives('onward')
    const asked = new DescribeImageReplicationStatusCommand({
      repositoryName: 'team/app',
      imageId: { imageTag: 'onward' },
    })
    expect((await ecr.send(asked)).replicationStatuses).toEqual([])
    const policyText = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    await ecr.send(new PutRegistryPolicyCommand({ policyText }))
    ecr.destroy()
    await push(await here(), 'team/app', buildImage('denied'), 'denied')
    const until = Date.now() + WITHIN_MS
    while ((await statusOf('denied')) === 'IN_PROGRESS' && Date.now() < until) await Bun.sleep(50)
    expect(await statusOf('denied')).toBe('FAILED')
    expect(await tagThere('denied')).toBeNull()
  }, 60_000)
})
