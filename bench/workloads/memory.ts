import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { interleave, type Workload, withFreshRegistry } from '../bench.ts'
import { writeLayerFile } from '../generated-layer.ts'
import { readMemory, resetPeak } from '../process-memory.ts'
import { pushBlob } from '../registry-client.ts'
import { atMost } from '../row.ts'
import { download, pushChunked } from '../transfer.ts'

const restMs = 2000

/** Resident memory of a registry that has answered a little, and how far it rises while one layer goes up and down. */
export const memory: Workload = {
  name: 'memory',
  async run(bench) {
    const sizeBytes = bench.quick ? 128 << 20 : 1 << 30
    const layer = await writeLayerFile(join(bench.directory, 'memory-layer'), 'memory', sizeBytes)
    const samples = await interleave(bench, 'memory', bench.registries, (peer) =>
      withFreshRegistry(bench, peer, async (registry) => {
        await registry.createRepository('bench/memory')
        await pushBlob(registry, 'bench/memory', Buffer.from('small'))
        await Bun.sleep(restMs)
        const idle = readMemory(registry.pid)
        const rise = async (work: Promise<void>) => {
          resetPeak(registry.pid)
          await work
          return megabytes(readMemory(registry.pid).peakBytes - idle.residentBytes)
        }
        return {
          idle: megabytes(idle.residentBytes),
          anonymous: megabytes(idle.anonymousBytes),
          push: await rise(pushChunked(registry, 'bench/memory', layer)),
          pull: await rise(download([`${registry.url}/v2/bench/memory/blobs/${layer.digest}`], registry.authorization)),
        }
      }),
    ).finally(() => rm(layer.path))
    const shared = { unit: 'MB', better: 'lower' } as const
    const size = `${sizeBytes >> 20} MiB`
    return [
      { title: 'idle memory (VmRSS)', ...shared, samples: samples('idle'), budgets: [atMost(90, 'MB')] },
      { title: 'of it anonymous (RssAnon)', ...shared, samples: samples('anonymous') },
      {
        title: `rise of its peak while ${size} go up`,
        ...shared,
        samples: samples('push'),
        budgets: [atMost(32, 'MB')],
      },
      {
        title: `rise of its peak while ${size} go down`,
        ...shared,
        samples: samples('pull'),
        budgets: [atMost(32, 'MB')],
      },
    ]
  },
}

/** Mebibytes, as memory is counted. */
function megabytes(bytes: number): number {
  return bytes / 2 ** 20
}
