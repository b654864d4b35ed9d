import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, interleave, type Workload } from '../bench.ts'
import { capture } from '../child-processes.ts'
import { findBinary } from '../find-binary.ts'
import { type LayerFile, writeLayerFile } from '../generated-layer.ts'
import { callEcr, ecruWith } from '../peers/ecru.ts'
import { pushBlob, request, sha256 } from '../registry-client.ts'
import type { RunningRegistry } from '../registry-peer.ts'
import { pushWhole } from '../transfer.ts'

const LAYER_BYTES = 50_000_000
const HERE = 'us-east-1'
const THERE = 'eu-west-1'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
const REPLICATED = 'bench/replicated'
const PLAIN = 'bench/plain'

/** How long after the push of an image was acknowledged it can be pulled at another site; beside a copy that somebody asks for, and the bare upload of its layer. */
export const replication: Workload = {
  name: 'replication',
  async run(bench) {
    const directory = join(bench.directory, 'replication')
    for (const name of ['here', 'there']) await mkdir(join(directory, name), { recursive: true })
    const there = await ecruWith({ ECRU_DEFAULT_REGION: THERE }, THERE).start(join(directory, 'there'))
    try {
      const here = await startHere(directory, there)
      try {
        const skopeo = findBinary('skopeo')
        if (skopeo === undefined) bench.note('replication: skopeo is not installed')
        const contestants: Contestant[] = [
          { name: 'Ecru', measure: (layer) => replicated(here, there, layer) },
          { name: 'curl, the upload alone', measure: (layer) => uploaded(there, layer) },
        ]
        if (skopeo !== undefined)
          contestants.push({ name: 'skopeo copy', measure: (layer) => copied(skopeo, here, there, layer) })
        return [await compare(bench, directory, contestants)]
      } finally {
        await here.stop()
      }
    } finally {
      await there.stop()
      await rm(directory, { recursive: true })
    }
  },
}

interface Contestant {
  readonly name: string
  /** Milliseconds for one image of this layer. */
  measure(layer: LayerFile): Promise<number>
}

async function compare(bench: Bench, directory: string, contestants: readonly Contestant[]) {
  const samples = await interleave(bench, 'replication', contestants, async ({ name, measure }, round) => {
    // Bytes that neither side has seen.
    const layer = await writeLayerFile(join(directory, 'layer'), `replication ${name} ${round}`, LAYER_BYTES)
    return { lag: await measure(layer) }
  })
  const taken = samples('lag')
  return {
    title: 'replication of a 50 MB image to another site, from the acknowledged push',
    unit: 'ms',
    better: 'lower',
    samples: new Map([...taken].filter(([name]) => name === 'Ecru')),
    limits: new Map([...taken].filter(([name]) => name !== 'Ecru')),
  } as const
}

async function startHere(directory: string, there: RunningRegistry): Promise<RunningRegistry> {
  const secretAccessKeyFile = join(directory, 'secret')
  await writeFile(secretAccessKeyFile, 'bench\n')
  const sites = join(directory, 'sites.json')
  const site = { region: THERE, endpoint: there.url, accessKeyId: '000000000000', secretAccessKeyFile }
  await writeFile(sites, JSON.stringify([site]))
  const here = await ecruWith({ ECRU_REPLICATION_SITES: sites }).start(join(directory, 'here'))
  for (const name of [REPLICATED, PLAIN]) await here.createRepository(name)
  await there.createRepository(PLAIN)
  const destinations = [{ region: THERE, registryId: '000000000000' }]
  const repositoryFilters = [{ filter: REPLICATED, filterType: 'PREFIX_MATCH' }]
  await callEcr(
    here.url,
    'PutReplicationConfiguration',
    { replicationConfiguration: { rules: [{ destinations, repositoryFilters }] } },
    HERE,
  )
  return here
}

async function replicated(here: RunningRegistry, there: RunningRegistry, layer: LayerFile): Promise<number> {
  const digest = await pushImage(here, REPLICATED, layer)
  const acknowledged = performance.now()
  const headers = { authorization: there.authorization ?? '' }
  const url = `${there.url}/v2/${REPLICATED}/manifests/${digest}`
  while ((await fetch(url, { method: 'HEAD', headers })).status !== 200) await Bun.sleep(1)
  return performance.now() - acknowledged
}

async function uploaded(there: RunningRegistry, layer: LayerFile): Promise<number> {
  const begun = performance.now()
  await pushWhole(there, PLAIN, layer)
  return performance.now() - begun
}

async function copied(
  skopeo: string,
  here: RunningRegistry,
  there: RunningRegistry,
  layer: LayerFile,
): Promise<number> {
  const digest = await pushImage(here, PLAIN, layer)
  const of = ({ url }: RunningRegistry) => `docker://${new URL(url).host}/${PLAIN}`
  const login = ({ authorization = '' }: RunningRegistry) =>
    Buffer.from(authorization.slice('Basic '.length), 'base64').toString()
  const begun = performance.now()
  await capture([
    ...[skopeo, '--insecure-policy', 'copy', '--quiet', '--preserve-digests'],
    ...['--src-tls-verify=false', '--src-creds', login(here), '--dest-tls-verify=false', '--dest-creds', login(there)],
    ...[`${of(here)}@${digest}`, `${of(there)}:copied`],
  ])
  return performance.now() - begun
}

/** An image of one layer and a configuration; answers its digest. */
async function pushImage(registry: RunningRegistry, repository: string, layer: LayerFile): Promise<string> {
  await pushWhole(registry, repository, layer)
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' } }))
  const type = 'application/vnd.oci.image'
  const configDescriptor = {
    mediaType: `${type}.config.v1+json`,
    digest: await pushBlob(registry, repository, config),
    size: config.byteLength,
  }
  const layers = [{ mediaType: `${type}.layer.v1.tar`, digest: layer.digest, size: layer.sizeBytes }]
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config: configDescriptor, layers })
  const digest = sha256(Buffer.from(manifest))
  const path = `/v2/${repository}/manifests/${digest}`
  await (await request(registry, 'PUT', path, 201, { body: manifest, contentType: MANIFEST })).arrayBuffer()
  return digest
}
