import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, interleave, megabytesPerSecond, type Workload, withFreshRegistry } from '../bench.ts'
import { writeLayerFile } from '../generated-layer.ts'
import { callAws, callEcr, ecru, ecruWith } from '../peers/ecru.ts'
import type { RunningRegistry } from '../registry-peer.ts'
import type { Row } from '../row.ts'
import { download, pushWhole } from '../transfer.ts'

const REPOSITORY = 'bench/upstream'
const PREFIX = 'cached'
const CACHING = { ECRU_UPSTREAM_ALLOW_PRIVATE: 'true', ECRU_UPSTREAM_ALLOW_HTTP: 'true' }
/** What a pull through a cache is beside: the same pull of the upstream itself. */
const DIRECT = 'the upstream itself'

/** A layer pulled through a cache, for the first time and again, beside the same pull of the upstream, which is another Ecru. */
export const pullThrough: Workload = {
  name: 'pull-through',
  async run(bench) {
    const sizeBytes = (bench.quick ? 20 : 200) << 20
    // A layer for each round: what came once does not come again.
    const files = await Promise.all(
      Array.from({ length: bench.repetitions + 1 }, (_, n) =>
        writeLayerFile(join(bench.directory, `through-${n}`), `through ${n}`, sizeBytes),
      ),
    )
    const digests = files.map(({ digest }) => digest)
    const run = (upstream: RunningRegistry) =>
      withFreshRegistry(bench, ecruWith(CACHING), async (cache) => {
        await upstream.createRepository(REPOSITORY)
        for (const file of files) await pushWhole(upstream, REPOSITORY, file)
        await prepare(cache, upstream)
        return await measure(bench, cache, upstream, digests, sizeBytes)
      })
    return await withFreshRegistry(bench, ecru, run).finally(() => Promise.all(files.map(({ path }) => rm(path))))
  },
}

async function prepare(cache: RunningRegistry, upstream: RunningRegistry): Promise<void> {
  const password = Buffer.from(upstream.authorization?.replace('Basic ', '') ?? '', 'base64')
    .toString()
    .slice(4)
  const secret = (await callAws(cache.url, 'secretsmanager', 'secretsmanager.CreateSecret', {
    Name: 'ecr-pullthroughcache/upstream',
    SecretString: JSON.stringify({ username: 'AWS', accessToken: password }),
    ClientRequestToken: crypto.randomUUID(),
  })) as { readonly ARN: string }
  await callEcr(cache.url, 'CreatePullThroughCacheRule', {
    ecrRepositoryPrefix: PREFIX,
    upstreamRegistryUrl: upstream.url,
    credentialArn: secret.ARN,
  })
  await callEcr(cache.url, 'CreateRepository', { repositoryName: `${PREFIX}/${REPOSITORY}` })
}

async function measure(
  bench: Bench,
  cache: RunningRegistry,
  upstream: RunningRegistry,
  digests: readonly string[],
  sizeBytes: number,
): Promise<Row[]> {
  const contestants = [
    { name: 'Ecru', registry: cache, repository: `${PREFIX}/${REPOSITORY}` },
    { name: DIRECT, registry: upstream, repository: REPOSITORY },
  ]
  const samples = await interleave(bench, 'pull through', contestants, async ({ registry, repository }, round) => {
    const url = `${registry.url}/v2/${repository}/blobs/${digests[round]}`
    const speed = async () => megabytesPerSecond(sizeBytes, await download([url], registry.authorization, 1))
    const cold = await speed()
    // The last bytes are sent while the layer is being put in its place.
    while (!(await isStored(registry, repository, digests[round] ?? ''))) await Bun.sleep(20)
    return { cold, warm: await speed() }
  })
  const row = (title: string, metric: string): Row => {
    const [own, direct] = [samples(metric).get('Ecru') ?? [], samples(metric).get(DIRECT) ?? []]
    return {
      title,
      unit: 'MB/s',
      better: 'higher',
      samples: new Map([['Ecru', own]]),
      limits: new Map([[DIRECT, direct]]),
    }
  }
  const size = `${sizeBytes >> 20} MiB`
  return [row(`first pull of ${size} through a cache`, 'cold'), row(`later pull of ${size} from the cache`, 'warm')]
}

async function isStored({ url }: RunningRegistry, repositoryName: string, digest: string): Promise<boolean> {
  const input = { repositoryName, layerDigests: [digest] }
  const { layers } = (await callEcr(url, 'BatchCheckLayerAvailability', input)) as {
    readonly layers: readonly { readonly layerAvailability: string }[]
  }
  return layers[0]?.layerAvailability === 'AVAILABLE'
}
