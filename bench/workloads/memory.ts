import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { interleave, type Workload, withDirectory, withRegistry } from '../bench.ts'
import { writeLayerFile } from '../generated-layer.ts'
import { type Memory, readMemory, resetPeak } from '../process-memory.ts'
import { pushBlob } from '../registry-client.ts'
import type { RunningRegistry } from '../registry-peer.ts'
import { atMost } from '../row.ts'
import { download, pushChunked } from '../transfer.ts'

const restMs = 2000
const repository = 'bench/memory'

/**
 * Resident memory of a registry that has answered a little, and how far it rises above that while one layer goes up,
 * and, in a new process on the same data, while it goes down.
 */
export const memory: Workload = {
  name: 'memory',
  async run(bench) {
    const sizeBytes = bench.quick ? 128 << 20 : 1 << 30
    const layer = await writeLayerFile(join(bench.directory, 'memory-layer'), 'memory', sizeBytes)
    const samples = await interleave(bench, 'memory', bench.registries, (peer) =>
      withDirectory(bench, async (directory) => {
        const up = await withRegistry(peer, directory, async (registry) => {
          await registry.createRepository(repository)
          return await observe(registry, () => pushChunked(registry, repository, layer))
        })
        const down = await withRegistry(peer, directory, (registry) =>
          observe(registry, () =>
            download([`${registry.url}/v2/${repository}/blobs/${layer.digest}`], registry.authorization),
          ),
        )
        return {
          idle: mebibytes(up.idle.residentBytes),
          anonymous: mebibytes(up.idle.anonymousBytes),
          up: mebibytes(up.peakBytes - up.idle.residentBytes),
          down: mebibytes(down.peakBytes - down.idle.residentBytes),
        }
      }),
    ).finally(() => rm(layer.path))
    const shared = { unit: 'MB', better: 'lower' } as const
    const title = `rise of its peak while ${sizeBytes >> 20} MiB go`
    return [
      { title: 'idle memory (VmRSS)', ...shared, samples: samples('idle'), budgets: [atMost(90, 'MB')] },
      { title: 'of it anonymous (RssAnon)', ...shared, samples: samples('anonymous') },
      { title: `${title} up`, ...shared, samples: samples('up'), budgets: [atMost(32, 'MB')] },
      { title: `${title} down`, ...shared, samples: samples('down'), budgets: [atMost(32, 'MB')] },
    ]
  },
}

/** What a registry takes at rest, after a small push, and at most while `work` runs. */
async function observe(
  registry: RunningRegistry,
  work: () => Promise<unknown>,
): Promise<{ readonly idle: Memory; readonly peakBytes: number }> {
  await pushBlob(registry, repository, Buffer.from('small'))
  await Bun.sleep(restMs)
  const idle = readMemory(registry.pid)
  resetPeak(registry.pid)
  await work()
  return { idle, peakBytes: readMemory(registry.pid).peakBytes }
}

function mebibytes(bytes: number): number {
  return bytes / 2 ** 20
}
