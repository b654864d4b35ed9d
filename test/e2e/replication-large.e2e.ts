import { afterAll, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr'
import { type Served, wire } from '../support/clients/wire.ts'
import { sha256 } from '../support/image-builder.ts'
import { type ReplicationSite, startSite, to } from '../support/replication-site.ts'

const MIB = 2 ** 20
const GIB = 2 ** 30
/** `ECRU_TEST_GIB=5` for the full size. */
const LAYER_BYTES = Number(process.env.ECRU_TEST_GIB ?? '1') * GIB
/** The budget while a layer moves, and how far the kernel's count swings between two identical runs. */
const GROWTH_BYTES_MAX = 32 * MIB + 8 * MIB
const TIMEOUT_MS = 20 * 60_000
const REPOSITORY = 'large/app'
const [HERE, THERE] = ['us-east-1', 'eu-west-1'] as const

const dir = await mkdtemp(join(tmpdir(), 'ecru-large-sites-'))
const sites: ReplicationSite[] = []
afterAll(async () => {
  for (const site of sites) await site.stop()
  await rm(dir, { recursive: true, force: true })
}, TIMEOUT_MS)

test(
  `a layer of ${LAYER_BYTES / GIB} GiB goes from one site to another in constant memory on both sides`,
  async () => {
    const quiet = { ECRU_LOG_LEVEL: 'warn' }
    const there = await startSite(dir, THERE, [], quiet)
    sites.push(there)
    const here = await startSite(dir, HERE, [{ region: THERE, url: there.running.url }], quiet)
    sites.push(here)
    await here.ecr.send(new CreateRepositoryCommand({ repositoryName: REPOSITORY }))
    await here.replicate({ destinations: to(THERE) })
    // A small one first: what is compiled and opened once is not the layer's size.
    await copied(here, there, 'warm-up', 8 * MIB)
    const idle = await Promise.all(sites.map(residentBytes))
    for (const site of sites) await forgetPeak(site)
    const digest = await copied(here, there, 'large', LAYER_BYTES)
    const peaks = await Promise.all(sites.map(peakBytes))
    const grown = peaks.map((peak, index) => peak - (idle[index] ?? 0))
    const told = grown.map((bytes) => `${(bytes / MIB).toFixed(1)} MiB`).join(' and ')
    console.log(`${LAYER_BYTES / GIB} GiB pushed and replicated: ${told} more there and here`)
    expect(Math.max(...grown)).toBeLessThanOrEqual(GROWTH_BYTES_MAX)
    const hash = createHash('sha256')
    const answer = await wire(await there.served(), `${REPOSITORY}/blobs/${digest}`)
    if (answer.body !== null) for await (const chunk of answer.body) hash.update(chunk)
    expect(`sha256:${hash.digest('hex')}`).toBe(digest)
  },
  TIMEOUT_MS,
)

/** Pushes an image of one such layer here, and waits until it is there. */
async function copied(here: ReplicationSite, there: ReplicationSite, tag: string, sizeBytes: number): Promise<string> {
  const stage = await here.served()
  const digest = await pushLayer(stage, tag, sizeBytes)
  const config = Buffer.from('{}')
  await expectStatus(
    await wire(stage, `${REPOSITORY}/blobs/uploads/?digest=${sha256(config)}`, {
      ...{ method: 'POST', body: config, headers: { 'content-type': 'application/octet-stream' } },
    }),
    201,
  )
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = JSON.stringify({
    ...{ schemaVersion: 2, mediaType },
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: sha256(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: sizeBytes }],
  })
  const headers = { 'content-type': mediaType }
  await expectStatus(
    await wire(stage, `${REPOSITORY}/manifests/${tag}`, { method: 'PUT', headers, body: manifest }),
    201,
  )
  const until = Date.now() + TIMEOUT_MS
  for (;;) {
    const status = (await here.statusOf(REPOSITORY, tag))[THERE]
    if (status === 'COMPLETE') break
    if (status !== 'IN_PROGRESS' || Date.now() > until) throw new Error(`the copy is ${status}`)
    await Bun.sleep(100)
  }
  expect(await there.tag(REPOSITORY, tag)).toBe(sha256(manifest))
  return digest
}

/** One streamed request; answers the digest that the sender counted. */
async function pushLayer(stage: Served, seed: string, sizeBytes: number): Promise<string> {
  const begun = await expectStatus(await wire(stage, `${REPOSITORY}/blobs/uploads/`, { method: 'POST' }), 202)
  const hash = createHash('sha256')
  const patched = await send('PATCH', begun.headers.get('location') ?? '', generated(seed, sizeBytes, hash))
  const digest = `sha256:${hash.digest('hex')}`
  const location = patched.headers.get('location') ?? ''
  await expectStatus(await send('PUT', `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`), 201)
  return digest

  function send(method: string, location: string, body?: ReadableStream<Uint8Array>) {
    const { pathname, search } = new URL(location, stage.url)
    const init = { method, ...(body && { body, duplex: 'half' as const }) }
    return wire(stage, `${pathname.slice('/v2/'.length)}${search}`, init)
  }
}

/** Bytes made as they are taken; each block differs from all others. */
function generated(seed: string, sizeBytes: number, hash: { update(bytes: Uint8Array): unknown }) {
  const noise = Buffer.alloc(MIB)
  for (let at = 0, n = 0; at < MIB; at += 32, n++) createHash('sha256').update(`${seed}/${n}`).digest().copy(noise, at)
  let made = 0
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const block = Buffer.from(noise.subarray(0, Math.min(MIB, sizeBytes - made)))
        block.writeBigUInt64LE(BigInt(made), 0)
        made += block.length
        hash.update(block)
        controller.enqueue(block)
        if (made >= sizeBytes) controller.close()
      },
    },
    { highWaterMark: 1 },
  )
}

async function expectStatus(answer: Response, status: number): Promise<Response> {
  if (answer.status !== status) throw new Error(`${answer.url} answers ${answer.status} ${await answer.text()}`)
  return answer
}

const residentBytes = (site: ReplicationSite) => memory(site, 'VmRSS')
const peakBytes = (site: ReplicationSite) => memory(site, 'VmHWM')

/** Makes the kernel's high-water mark begin anew. */
const forgetPeak = ({ running }: ReplicationSite) => writeFile(`/proc/${running.process.pid}/clear_refs`, '5')

async function memory({ running }: ReplicationSite, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${running.process.pid}/status`, 'utf8')
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`the kernel does not tell ${field}`)
  return Number(kilobytes) * 1024
}
