import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { BatchGetImageCommand, CreatePullThroughCacheRuleCommand } from '@aws-sdk/client-ecr'
import { servesEveryByte, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex, noise, sha256 } from '../support/image-builder.ts'
import { ecrClient, loginPassword, type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import { type Fault, UpstreamRegistry } from '../support/upstream-registry.ts'

const WITHIN_MS = 30_000
const TIMEOUT_MS = 60_000
const IMAGE = buildImage('fails', { layers: [{ 'data/a.bin': noise('fails', 8_000_000) }, { small: 'x' }] })
const [LARGE = IMAGE.config] = IMAGE.layers
const ARM = buildImage('fails-arm', { platform: { os: 'linux', architecture: 'arm64' } })

describe('whatever an upstream does, nothing wrong is stored or served', () => {
  let upstream: UpstreamRegistry
  let dir: string
  let registry: RunningRegistry
  let password: string

  const start = () =>
    startRegistry({
      dataDir: join(dir, 'data'),
      env: { ECRU_UPSTREAM_ALLOW_PRIVATE: 'true', ECRU_UPSTREAM_ALLOW_HTTP: 'true', ECRU_LOG_FORMAT: 'json' },
    })
  const served = () => ({ url: registry.url, password })
  const ask = (path: string, init: RequestInit = {}) => wire(served(), `up/${path}`, init)
  const statusOf = async (path: string) => (await ask(path)).status
  /** A blob as a client gets it; `broken`: the transfer ended before its end. */
  const download = async (digest: string) => {
    try {
      return sha256(new Uint8Array(await (await ask(`app/blobs/${digest}`)).arrayBuffer()))
    } catch {
      return 'broken'
    }
  }

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ecru-cache-'))
    upstream = await UpstreamRegistry.start()
    registry = await start()
    password = await loginPassword(registry.url)
    const rule = { ecrRepositoryPrefix: 'up', upstreamRegistryUrl: upstream.url.origin }
    await ecrClient(registry.url).send(new CreatePullThroughCacheRuleCommand(rule))
  }, TIMEOUT_MS)
  afterEach(async () => {
    const errors = (await registry.log()).split('\n').filter((line) => line.includes('"level":"error"'))
    await registry.stop()
    await upstream.stop()
    await rm(dir, { recursive: true, force: true })
    // Whatever came was the upstream's doing: requests fail by it, and nothing else was logged.
    expect(errors.filter((line) => !line.includes('"msg":"request"'))).toEqual([])
  }, TIMEOUT_MS)

  async function tagged(tag: string): Promise<boolean> {
    const { tags } = (await (await ask('app/tags/list')).json()) as { tags?: string[] }
    return tags?.includes(tag) === true
  }

  async function arrives(tag: string): Promise<void> {
    const until = Date.now() + WITHIN_MS
    while (!(await tagged(tag))) {
      if (Date.now() > until) throw new Error(`${tag} has not come\n${await registry.log()}`)
      await Bun.sleep(20)
    }
  }

  /** Pulls it as it should be, and again when the upstream is gone. */
  async function recovers(): Promise<void> {
    upstream.fault = () => false
    expect(await statusOf('app/manifests/v1')).toBe(200)
    await arrives('v1')
    upstream.fault = status(500)
    expect(await servesEveryByte(served(), 'up/app', IMAGE)).toBe(true)
  }

  const status =
    (code: number, headers: Record<string, string> = {}): Fault =>
    (_, response) => {
      response.writeHead(code, headers).end()
      return true
    }

  const ofLayer =
    (answer: (response: Parameters<Fault>[1], from: number) => void): Fault =>
    ({ path, headers }, response) => {
      if (!path.endsWith(LARGE.digest)) return false
      answer(response, Number(/^bytes=(\d+)-/.exec(headers.range ?? '')?.[1] ?? 0))
      return true
    }

  test(
    'one that drips is waited for, byte by byte',
    async () => {
      upstream.addImage(IMAGE, 'app', 'v1')
      const pieces = 20
      upstream.fault = ofLayer((response) => {
        response.writeHead(200, { 'content-length': String(LARGE.bytes.length) })
        const size = Math.ceil(LARGE.bytes.length / pieces)
        const next = (n: number) => {
          response.write(LARGE.bytes.subarray(n * size, (n + 1) * size))
          if (n + 1 === pieces) response.end()
          else setTimeout(next, 25, n + 1)
        }
        next(0)
      })
      await statusOf('app/manifests/v1')
      const reader = (await ask(`app/blobs/${LARGE.digest}`)).body?.getReader()
      // Some are here long before the last ones.
      expect((await reader?.read())?.value?.byteLength).toBeLessThan(LARGE.bytes.length)
      await reader?.cancel()
      await arrives('v1')
      await recovers()
    },
    TIMEOUT_MS,
  )

  test(
    'one that breaks off in the middle is asked for the rest',
    async () => {
      upstream.addImage(IMAGE, 'app', 'v1')
      upstream.fault = ofLayer((response, from) => {
        const rest = LARGE.bytes.subarray(from)
        response.writeHead(from === 0 ? 200 : 206, {
          'content-length': String(rest.length),
          ...(from === 0 ? {} : { 'content-range': `bytes ${from}-${LARGE.bytes.length - 1}/${LARGE.bytes.length}` }),
        })
        if (rest.length > 3_000_000) response.write(rest.subarray(0, 3_000_000), () => response.destroy())
        else response.end(rest)
      })
      await statusOf('app/manifests/v1')
      expect(await download(LARGE.digest)).toBe(LARGE.digest)
      await arrives('v1')
      await recovers()
    },
    TIMEOUT_MS,
  )

  test.each<[string, Fault]>([
    [
      'other bytes',
      ofLayer((response) => {
        const wrong = noise('wrong', LARGE.bytes.length)
        response.writeHead(200, { 'content-length': String(wrong.length) }).end(wrong)
      }),
    ],
    [
      'fewer bytes, and says that those are all',
      ofLayer((response) => {
        response.writeHead(200, { 'content-length': '1000' }).end(LARGE.bytes.subarray(0, 1000))
      }),
    ],
    [
      'more bytes than there are, without an end in sight',
      ofLayer((response) => {
        response.writeHead(200).end(Buffer.concat([LARGE.bytes, LARGE.bytes]))
      }),
    ],
    [
      'nothing but beginnings',
      ofLayer((response) => {
        response.writeHead(200, { 'content-length': String(LARGE.bytes.length) })
        response.write(LARGE.bytes.subarray(0, 0), () => response.destroy())
        response.flushHeaders()
      }),
    ],
    ['a page of HTML', ofLayer((response) => response.writeHead(200).end('<html>welcome to this hotel</html>'))],
  ])(
    'of one that sends %s no layer is stored',
    async (_, fault) => {
      upstream.addImage(IMAGE, 'app', 'v1')
      upstream.fault = fault
      expect(await statusOf('app/manifests/v1')).toBe(200)
      expect(await download(LARGE.digest)).not.toBe(LARGE.digest)
      expect(await tagged('v1')).toBe(false)
      await recovers()
    },
    TIMEOUT_MS,
  )

  test(
    'one that limits is left alone until then, and the client hears how long',
    async () => {
      upstream.addImage(IMAGE, 'app', 'v1')
      upstream.fault = status(429, { 'retry-after': '600' })
      const refused = await ask('app/manifests/v1')
      expect([refused.status, ((await refused.json()) as { errors: { code: string }[] }).errors[0]?.code]).toEqual([
        429,
        'TOOMANYREQUESTS',
      ])
      expect(Number(refused.headers.get('retry-after'))).toBeWithin(590, 601)
      const images = new BatchGetImageCommand({ repositoryName: 'up/app', imageIds: [{ imageTag: 'v1' }] })
      const thrown = await ecrClient(registry.url)
        .send(images)
        .catch((error: unknown) => error)
      expect(thrown).toMatchObject({ name: 'UnableToGetUpstreamImageException' })
      expect(upstream.asked.length).toBe(1)
      await advance(600)
      await recovers()
    },
    TIMEOUT_MS,
  )

  test.each([
    [500, 503],
    [503, 503],
    [403, 403],
    [404, 404],
  ])(
    'one that answers %p at the first pull makes it fail with %p, and leaves nothing behind',
    async (theirs, ours) => {
      upstream.addImage(IMAGE, 'app', 'v1')
      upstream.fault = status(theirs)
      expect(await statusOf('app/manifests/v1')).toBe(ours)
      expect(await statusOf('app/tags/list')).toBe(404)
      await recovers()
    },
    TIMEOUT_MS,
  )

  test(
    'a day later a tag is compared; while the upstream is gone it stays what it was',
    async () => {
      upstream.addIndex(buildIndex([IMAGE, ARM]), 'app', 'v1')
      expect(await statusOf('app/manifests/v1')).toBe(200)
      await arrives('v1')
      const next = upstream.addImage(ARM, 'app', 'v1')
      const before = upstream.asked.length
      const digest = async () => (await ask('app/manifests/v1')).headers.get('docker-content-digest')
      const first = await digest()
      expect([first === next, upstream.asked.length]).toEqual([false, before])
      await advance(24 * 3600)
      const { port } = upstream.url
      await upstream.stop()
      expect(await digest()).toBe(first)
      await upstream.restart(Number(port))
      // The upstream is let alone for a minute after it has failed.
      await advance(61)
      expect(await digest()).toBe(next)
    },
    TIMEOUT_MS,
  )

  test(
    'who wants to know what holds now says so, and has the new one at once',
    async () => {
      upstream.addImage(IMAGE, 'app', 'v1')
      expect(await statusOf('app/manifests/v1')).toBe(200)
      await arrives('v1')
      const next = upstream.addImage(ARM, 'app', 'v1')
      const digest = async (headers: Record<string, string>) =>
        (await ask('app/manifests/v1', { method: 'HEAD', headers })).headers.get('docker-content-digest')
      expect(await digest({})).toBe(IMAGE.manifest.digest)
      expect(await digest({ 'cache-control': 'no-cache' })).toBe(next)
    },
    TIMEOUT_MS,
  )

  test(
    'a process that is killed in the middle of a first pull has stored nothing wrong',
    async () => {
      upstream.addImage(IMAGE, 'app', 'v1')
      for (const storedBytes of [0, 100_000, 2_000_000, LARGE.bytes.length - 1]) {
        const reached = Promise.withResolvers<void>()
        upstream.fault = ofLayer((response) => {
          response.writeHead(200, { 'content-length': String(LARGE.bytes.length) })
          response.write(LARGE.bytes.subarray(0, storedBytes), () => reached.resolve())
          response.flushHeaders()
        })
        await statusOf('app/manifests/v1')
        const received = download(LARGE.digest)
        await reached.promise
        await registry.kill()
        expect(await received).toBe('broken')
        registry = await start()
        expect(await tagged('v1')).toBe(false)
        upstream.fault = status(500)
        expect(await statusOf(`app/blobs/${LARGE.digest}`)).toBe(503)
      }
      await recovers()
    },
    TIMEOUT_MS,
  )

  async function advance(advanceSeconds: number): Promise<void> {
    const init = { method: 'POST', body: JSON.stringify({ advanceSeconds }) }
    expect((await fetch(`${registry.url}/_ecru/clock`, init)).status).toBe(200)
    password = await loginPassword(registry.url)
  }
})
