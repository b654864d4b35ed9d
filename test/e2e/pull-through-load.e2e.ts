import { afterEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreatePullThroughCacheRuleCommand } from '@aws-sdk/client-ecr'
import { testWith } from '../support/clients/client-test.ts'
import { startDockerRegistry } from '../support/clients/docker-registry.ts'
import { push, wire } from '../support/clients/wire.ts'
import { generatedBytes } from '../support/generated-bytes.ts'
import { blob, buildImage, descriptor, noise, sha256 } from '../support/image-builder.ts'
import { peakDuring, settledBytes } from '../support/process-memory.ts'
import { ecrClient, type RunningRegistry, startRegistry } from '../support/start-registry.ts'

const MB = 2 ** 20
const GIB = 2 ** 30
/** `ECRU_TEST_GIB=5` for the full size. */
const LAYER_BYTES = Number(process.env.ECRU_TEST_GIB ?? '1') * GIB
/** How much more memory while a layer moves. */
const GROWTH_BYTES_MAX = 32 * MB
/** How far the kernel's count of resident pages swings between two identical runs. */
const SLACK_BYTES = 6 * MB
const TIMEOUT_MS = 20 * 60_000
const CROWD = 100

const TYPES = {
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
} as const

let registry: RunningRegistry
let password: string

async function open(upstreamRegistryUrl: string): Promise<void> {
  const env = { ECRU_UPSTREAM_ALLOW_PRIVATE: 'true', ECRU_UPSTREAM_ALLOW_HTTP: 'true', ECRU_LOG_LEVEL: 'warn' }
  registry = await startRegistry({ env })
  password = await registry.password()
  const rule = { ecrRepositoryPrefix: 'up', upstreamRegistryUrl }
  await ecrClient(registry.url).send(new CreatePullThroughCacheRuleCommand(rule))
}
afterEach(() => registry?.stop())

const get = (path: string) => wire({ url: registry.url, password }, `up/${path}`)
async function digestOf(path: string): Promise<string> {
  const answer = await get(path)
  if (answer.status !== 200) throw new Error(`${path} answers ${answer.status} ${await answer.text()}`)
  const hash = createHash('sha256')
  for await (const chunk of answer.body ?? []) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

testWith('docker-registry')(
  `${CROWD} first pulls of 50 MB at once ask the upstream for each blob once`,
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'ecru-crowd-'))
    const upstream = await startDockerRegistry({ dir })
    try {
      const layers = ['a', 'b', 'c', 'd', 'e'].map((name) => ({ [name]: noise(name, 10_000_000) }))
      const image = buildImage('crowd', { layers })
      await push({ url: upstream.url, password: '' }, 'app', image, 'v1')
      await open(upstream.url)
      const pullAll = async () => {
        expect(await digestOf('app/manifests/v1')).toBe(image.manifest.digest)
        for (const { digest } of [image.config, ...image.layers])
          expect(await digestOf(`app/blobs/${digest}`)).toBe(digest)
      }
      await Promise.all(Array.from({ length: CROWD }, pullAll))
      for (const { digest } of [image.config, ...image.layers])
        expect(await upstream.count(`GET /v2/app/blobs/${digest}`)).toBe(1)
      expect(await upstream.count('GET /v2/app/manifests/')).toBe(1)
    } finally {
      await upstream.stop()
      await rm(dir, { recursive: true, force: true })
    }
  },
  TIMEOUT_MS,
)

describe('memory', () => {
  test(
    `a layer of ${LAYER_BYTES / GIB} GiB comes through in constant memory`,
    async () => {
      const small = await generatedImage(8 * MB, 'warm-up')
      const large = await generatedImage(LAYER_BYTES, 'large')
      const images = [small, large]
      const asked: string[] = []
      await using upstream = Bun.serve({
        port: 0,
        hostname: '127.0.0.1',
        idleTimeout: 60,
        async fetch({ url, method }) {
          const path = new URL(url).pathname
          asked.push(`${method} ${path}`)
          const image = images.find(({ name }) => path.startsWith(`/v2/${name}/`))
          if (image === undefined) return new Response(null, { status: path === '/v2/' ? 200 : 404 })
          if (path.includes('/manifests/'))
            return new Response(new Uint8Array(image.manifest.bytes), {
              headers: { 'content-type': TYPES.manifest, 'docker-content-digest': image.manifest.digest },
            })
          if (path.endsWith(image.config.digest)) return new Response(new Uint8Array(image.config.bytes))
          const headers = { 'content-length': String(image.layer.size) }
          return new Response(
            generatedBytes(image.name, image.layer.size, () => undefined),
            { headers },
          )
        },
      })
      await open(`http://127.0.0.1:${upstream.port}`)
      const pull = async ({ name, layer }: (typeof images)[number]) => {
        expect((await get(`${name}/manifests/v1`)).status).toBe(200)
        expect(await digestOf(`${name}/blobs/${layer.digest}`)).toBe(layer.digest)
      }
      // A small layer first: what is compiled and opened once is not the layer's size.
      await pull(small)
      const { pid } = registry.process
      const idleBytes = await settledBytes(pid)
      const peak = await peakDuring(pid, () => pull(large))
      const growth = peak - idleBytes
      console.log(
        `idle ${Math.round(idleBytes / MB)} MB, at most ${Math.round(peak / MB)} MB while ${LAYER_BYTES / GIB} GiB came through`,
      )
      expect(growth).toBeLessThanOrEqual(GROWTH_BYTES_MAX + SLACK_BYTES)
      expect(asked.filter((line) => line === `GET /v2/large/blobs/${large.layer.digest}`)).toHaveLength(1)
    },
    TIMEOUT_MS,
  )
})

/** An image of one layer that is made while it is read. */
async function generatedImage(size: number, name: string) {
  const hash = createHash('sha256')
  for await (const _ of generatedBytes(name, size, (bytes) => hash.update(bytes)));
  const layer = { mediaType: TYPES.layer, digest: `sha256:${hash.digest('hex')}`, size }
  const rootfs = { type: 'layers', diff_ids: [layer.digest] }
  const config = blob(TYPES.config, Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs })))
  const document = { schemaVersion: 2, mediaType: TYPES.manifest, config: descriptor(config), layers: [layer] }
  const bytes = Buffer.from(JSON.stringify(document))
  return { name, config, layer, manifest: { bytes, digest: sha256(bytes) } }
}
