import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, interleave, megabytesPerSecond, type Workload, withFreshRegistry } from '../bench.ts'
import { type LayerFile, writeLayerFile } from '../generated-layer.ts'
import { ecru, encryptedEcru } from '../peers/ecru.ts'
import { readCpuMs } from '../process-cpu.ts'
import { readMemory, resetPeak } from '../process-memory.ts'
import type { RegistryPeer } from '../registry-peer.ts'
import { atMost, type Row } from '../row.ts'
import { download, pushChunked } from '../transfer.ts'

const PLAIN = 'not encrypted'

/** What encryption at rest costs: one layer pushed and pulled by curl, beside the same without it. */
export const encryption: Workload = {
  name: 'encryption',
  async run(bench) {
    const sizeBytes = bench.quick ? 128 << 20 : 1 << 30
    const warmUp = await writeLayerFile(
      join(bench.directory, 'encryption-warm-up'),
      'encryption warm-up',
      sizeBytes / 16,
    )
    const layer = await writeLayerFile(join(bench.directory, 'encryption-layer'), 'encryption', sizeBytes)
    try {
      const contestants = [
        { name: 'Ecru', peer: encryptedEcru },
        { name: PLAIN, peer: ecru },
      ]
      const samples = await interleave(bench, 'encryption', contestants, ({ peer }) =>
        measure(bench, peer, warmUp, layer),
      )
      const of = (metric: string) => {
        const taken = samples(metric)
        return {
          samples: new Map([...taken].filter(([name]) => name !== PLAIN)),
          limits: new Map([...taken].filter(([name]) => name === PLAIN)),
        }
      }
      const size = `${sizeBytes >> 20} MiB`
      const memory = { unit: 'MB', better: 'lower' } as const
      const rows: Row[] = [
        { title: `encrypted: push of one ${size} blob`, unit: 'MB/s', better: 'higher', ...of('push') },
        { title: 'processor time of the server for that', unit: 'ms', better: 'lower', ...of('push, cpu') },
        { title: `encrypted: pull of one ${size} blob`, unit: 'MB/s', better: 'higher', ...of('pull') },
        { title: 'processor time of the server for that', unit: 'ms', better: 'lower', ...of('pull, cpu') },
        { title: 'rise of its peak while it goes up', ...memory, ...of('up'), budgets: [atMost(32, 'MB')] },
        { title: 'rise of its peak while it goes down', ...memory, ...of('down'), budgets: [atMost(32, 'MB')] },
      ]
      return rows
    } finally {
      await rm(warmUp.path)
      await rm(layer.path)
    }
  },
}

function measure(
  bench: Bench,
  peer: RegistryPeer,
  warmUp: LayerFile,
  layer: LayerFile,
): Promise<Record<string, number>> {
  return withFreshRegistry(bench, peer, async (registry) => {
    const { pid, url, authorization } = registry
    await registry.createRepository('bench/encryption')
    const pull = ({ digest }: LayerFile) => download([`${url}/v2/bench/encryption/blobs/${digest}`], authorization)
    await pushChunked(registry, 'bench/encryption', warmUp)
    await pull(warmUp)
    const up = await watch(pid, () => pushChunked(registry, 'bench/encryption', layer))
    const down = await watch(pid, () => pull(layer))
    return {
      push: megabytesPerSecond(layer.sizeBytes, up.tookMs),
      'push, cpu': up.cpuMs,
      up: up.riseBytes / 2 ** 20,
      pull: megabytesPerSecond(layer.sizeBytes, down.tookMs),
      'pull, cpu': down.cpuMs,
      down: down.riseBytes / 2 ** 20,
    }
  })
}

interface Watched {
  readonly tookMs: number
  readonly cpuMs: number
  /** How far the process grew meanwhile. */
  readonly riseBytes: number
}

async function watch(pid: number, work: () => Promise<unknown>): Promise<Watched> {
  resetPeak(pid)
  const { residentBytes } = readMemory(pid)
  const cpuMs = readCpuMs(pid)
  const began = performance.now()
  await work()
  const tookMs = performance.now() - began
  return { tookMs, cpuMs: readCpuMs(pid) - cpuMs, riseBytes: readMemory(pid).peakBytes - residentBytes }
}
