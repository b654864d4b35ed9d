import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { interleave, megabytesPerSecond, type Workload, withAllRegistries } from '../bench.ts'
import { writeLayerFile } from '../generated-layer.ts'
import { startNginx } from '../peers/nginx.ts'
import { atLeastBestPeer, atLeastLimit } from '../row.ts'
import { download, pushWhole } from '../transfer.ts'

interface Source {
  readonly name: string
  readonly url: string
  readonly authorization: string | undefined
}

/** One client pulls one layer, from the page cache; nginx sends the same file by sendfile. */
export const pullLargeBlob: Workload = {
  name: 'pull',
  async run(bench) {
    const sizeBytes = bench.quick ? 128 << 20 : 1 << 30
    const root = join(bench.directory, 'files')
    await mkdir(root)
    const layer = await writeLayerFile(join(root, 'layer'), 'pull', sizeBytes)
    const nginx = bench.withNginx ? await startNginx(join(bench.directory, 'nginx'), root) : undefined
    try {
      return await withAllRegistries(
        bench,
        async (registry) => {
          await registry.createRepository('bench/pull')
          await pushWhole(registry, 'bench/pull', layer)
        },
        async (registries) => {
          const blob = `/v2/bench/pull/blobs/${layer.digest}`
          const sources: Source[] = registries.map(({ name, url, authorization }) => ({
            name,
            url: url + blob,
            authorization,
          }))
          if (nginx !== undefined) sources.push({ name: 'nginx', url: `${nginx.url}/layer`, authorization: undefined })
          const samples = await interleave(bench, 'pull', sources, async (source) => {
            const began = performance.now()
            await download([source.url], source.authorization)
            return { speed: megabytesPerSecond(sizeBytes, performance.now() - began) }
          })
          const [limits, speeds] = partition(samples('speed'), 'nginx')
          return [
            {
              title: `pull of one ${sizeBytes >> 20} MiB blob`,
              unit: 'MB/s',
              better: 'higher',
              samples: speeds,
              limits,
              budgets: [atLeastBestPeer(1.2), atLeastLimit(0.8, 'nginx sendfile')],
            },
          ]
        },
      )
    } finally {
      await nginx?.stop()
      await rm(root, { recursive: true })
    }
  },
}

function partition(
  samples: Map<string, number[]>,
  name: string,
): readonly [Map<string, number[]>, Map<string, number[]>] {
  const entries = [...samples]
  return [new Map(entries.filter(([key]) => key === name)), new Map(entries.filter(([key]) => key !== name))]
}
