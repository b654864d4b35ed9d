import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { type Bench, interleave, type Workload, withFreshRegistry } from '../bench.ts'
import { ecruWith } from '../peers/ecru.ts'
import { pushBlob, request, sha256 } from '../registry-client.ts'
import type { RunningRegistry } from '../registry-peer.ts'
import { atLeastLimit, atMost } from '../row.ts'
import { median } from '../statistics.ts'
import { hammerGet } from '../wrk.ts'

const ALONE = 'nobody listens'
const REPOSITORY = 'bench/events'
const CLIENTS = 8
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const SCRAPE_EVERY_MS = 1_000

const peer = ecruWith({ ECRU_EVENTS_ALLOW_PRIVATE: 'true', ECRU_EVENTS_ALLOW_HTTP: 'true' })

/**
 * What it costs to be watched: images pushed and manifests pulled while a rule sends every event to a webhook and Prometheus
 * reads the metrics each second, beside the same while nobody does.
 */
export const events: Workload = {
  name: 'events',
  async run(bench) {
    const contestants = [
      { name: 'Ecru', isWatched: true },
      { name: ALONE, isWatched: false },
    ]
    const samples = await interleave(bench, 'events', contestants, ({ isWatched }, round) =>
      measure(bench, isWatched, round),
    )
    const of = (metric: string) => {
      const taken = [...samples(metric)]
      return {
        samples: new Map(taken.filter(([name]) => name !== ALONE)),
        limits: new Map(taken.filter(([name]) => name === ALONE)),
      }
    }
    const budgets = [atLeastLimit(0.9, ALONE)]
    return [
      {
        title: `watched: image pushes, ${CLIENTS} clients`,
        unit: 'pushes/s',
        better: 'higher',
        ...of('pushes'),
        budgets,
      },
      { title: 'watched: manifest GET by tag', unit: 'requests/s', better: 'higher', ...of('pulls'), budgets },
      {
        title: 'from a push that is answered to its event at the webhook',
        unit: 'ms',
        better: 'lower',
        samples: of('lag').samples,
        budgets: [atMost(100, 'ms')],
      },
    ]
  },
}

function measure(bench: Bench, isWatched: boolean, round: number): Promise<Record<string, number>> {
  return withFreshRegistry(bench, peer, async (registry) => {
    await registry.createRepository(REPOSITORY)
    const arrivals = new Map<string, number>()
    const hook = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async (posted) => {
        const { detail } = (await posted.json()) as { detail: { 'image-tag'?: string; 'action-type': string } }
        if (detail['action-type'] === 'PUSH') arrivals.set(detail['image-tag'] ?? '', performance.now())
        return new Response('ok')
      },
    })
    if (isWatched) await listen(registry, `http://127.0.0.1:${hook.port}/told`)
    const scrape = () => void fetch(`${registry.url}/metrics`).then((page) => page.text())
    const scraping = isWatched ? setInterval(scrape, SCRAPE_EVERY_MS) : undefined
    try {
      const layer = await pushBlob(registry, REPOSITORY, Buffer.from('layer'))
      const count = bench.quick ? 25 : 100
      const began = performance.now()
      await Promise.all(
        Array.from({ length: CLIENTS }, async (_, client) => {
          for (let n = 0; n < count; n++) await pushImage(registry, layer, `r${round}-${client}-${n}`)
        }),
      )
      const pushes = (CLIENTS * count * 1000) / (performance.now() - began)
      const lags: number[] = []
      for (let n = 0; isWatched && n < 20; n++) {
        const tag = `single-${round}-${n}`
        await pushImage(registry, layer, tag)
        const answered = performance.now()
        while (!arrivals.has(tag)) await Bun.sleep(1)
        lags.push(Math.max(0, (arrivals.get(tag) ?? 0) - answered))
      }
      const url = `${registry.url}/v2/${REPOSITORY}/manifests/r${round}-0-0`
      const headers = { accept: MANIFEST, authorization: registry.authorization ?? '' }
      const pulls = await hammerGet(url, headers, bench.quick ? 2 : 5)
      return { pushes, pulls, ...(isWatched ? { lag: median(lags) } : {}) }
    } finally {
      clearInterval(scraping)
      await hook.stop(true)
    }
  })
}

/** A rule for everything, which sends it there. */
async function listen({ url: endpoint }: RunningRegistry, hook: string): Promise<void> {
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'test' }
  const client = new EventBridgeClient({ endpoint, region: 'us-east-1', credentials })
  await client.send(new PutRuleCommand({ Name: 'all', EventPattern: '{"source":["aws.ecr"]}' }))
  const Arn = `arn:aws:ecru:us-east-1:000000000000:webhook/${hook}`
  await client.send(new PutTargetsCommand({ Rule: 'all', Targets: [{ Id: 'hook', Arn }] }))
  client.destroy()
}

/** An image of its own: a config that names the tag, and a layer that all share. */
async function pushImage(registry: RunningRegistry, layer: string, tag: string): Promise<void> {
  const bytes = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', tag }))
  const digest = await pushBlob(registry, REPOSITORY, bytes, sha256(bytes))
  const body = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: bytes.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: 5 }],
  })
  const init = { body, contentType: MANIFEST }
  await (await request(registry, 'PUT', `/v2/${REPOSITORY}/manifests/${tag}`, 201, init)).arrayBuffer()
}
