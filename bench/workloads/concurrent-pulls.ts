import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { interleave, megabytesPerSecond, type Workload, withAllRegistries } from '../bench.ts'
import { writeLayerFile } from '../generated-layer.ts'
import type { Row } from '../row.ts'
import { download, pushWhole } from '../transfer.ts'

const sizeBytes = 10 << 20
const layers = 10

/** A hundred clients at once pull layers of 10 MiB: ten layers, ten clients each. */
export const concurrentPulls: Workload = {
  name: 'concurrent-pulls',
  async run(bench) {
    const pulls = bench.quick ? 20 : 100
    const directory = bench.directory
    const files = await Promise.all(
      Array.from({ length: layers }, (_, n) =>
        writeLayerFile(join(directory, `layer-${n}`), `concurrent ${n}`, sizeBytes),
      ),
    )
    return await withAllRegistries(
      bench,
      async (registry) => {
        await registry.createRepository('bench/concurrent')
        for (const file of files) await pushWhole(registry, 'bench/concurrent', file)
      },
      async (registries): Promise<Row[]> => {
        const samples = await interleave(bench, 'concurrent pulls', registries, async (registry) => {
          const urls = Array.from(
            { length: pulls },
            (_, n) => `${registry.url}/v2/bench/concurrent/blobs/${files[n % layers]?.digest}`,
          )
          const elapsedMs = await download(urls, registry.authorization, 2)
          return { speed: megabytesPerSecond(pulls * sizeBytes, elapsedMs) }
        })
        return [
          { title: `${pulls} concurrent pulls of 10 MiB`, unit: 'MB/s', better: 'higher', samples: samples('speed') },
        ]
      },
    ).finally(() => Promise.all(files.map((file) => rm(file.path))))
  },
}
