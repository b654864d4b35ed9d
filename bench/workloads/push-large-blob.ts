import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, interleave, megabytesPerSecond, type Workload, withFreshRegistry } from '../bench.ts'
import { capture } from '../child-processes.ts'
import { findBinary } from '../find-binary.ts'
import { type LayerFile, writeLayerFile } from '../generated-layer.ts'
import { readCpuMs } from '../process-cpu.ts'
import type { RegistryPeer } from '../registry-peer.ts'
import { atLeastBestPeer, atLeastLimit } from '../row.ts'
import { median } from '../statistics.ts'
import { pushChunked, pushWhole } from '../transfer.ts'

const writing = 'write + fsync'
const ways = { chunked: pushChunked, whole: pushWhole }

/**
 * One client pushes one layer that the registry has never seen, after a smaller one that warms it up. Ecru answers when
 * the layer is on the disk; what the peers still owe the disk is paid by a `sync` after their answer, timed apart.
 */
export const pushLargeBlob: Workload = {
  name: 'push',
  async run(bench) {
    const sizeBytes = bench.quick ? 128 << 20 : 1 << 30
    const warmUp = await writeLayerFile(join(bench.directory, 'push-warm-up'), 'push warm-up', sizeBytes / 16)
    const layer = await writeLayerFile(join(bench.directory, 'push-layer'), 'push', sizeBytes)
    try {
      const hashes = hashers(layer)
      const limits = [...hashes, writer(bench, layer)]
      const registries = bench.registries.map((peer) => registryPush(bench, peer, warmUp, layer))
      const samples = await interleave(bench, 'push', [...limits, ...registries], ({ measure }) => measure())
      const ofLimits = fastestHashAndWriting(
        hashes.map(({ name }) => name),
        samples('alone'),
      )
      const title = `push of one ${sizeBytes >> 20} MiB blob`
      const shared = { unit: 'MB/s', better: 'higher', limits: ofLimits } as const
      const budgets = [atLeastLimit(0.85, 'slower of SHA-256 and write + fsync'), atLeastBestPeer(1)]
      return [
        { title: `${title}, as docker does (chunked PATCH)`, ...shared, samples: samples('chunked'), budgets },
        { title: `${title}, as containerd does (one PUT)`, ...shared, samples: samples('whole'), budgets },
        { title: `${title}, chunked, and then on the disk (\`sync\`)`, ...shared, samples: samples('chunked, synced') },
        {
          title: 'processor time of the server for the chunked one',
          unit: 'ms',
          better: 'lower',
          samples: samples('chunked, cpu'),
        },
      ]
    } finally {
      await rm(warmUp.path)
      await rm(layer.path)
    }
  },
}

interface Contestant {
  readonly name: string
  measure(): Promise<Record<string, number>>
}

function registryPush(bench: Bench, peer: RegistryPeer, warmUp: LayerFile, layer: LayerFile): Contestant {
  return {
    name: peer.name,
    async measure() {
      const figures: Record<string, number> = {}
      for (const [way, push] of Object.entries(ways)) {
        await withFreshRegistry(bench, peer, async (registry) => {
          await registry.createRepository('bench/push')
          await push(registry, 'bench/push', warmUp)
          await settleDisk()
          const cpuBeforeMs = readCpuMs(registry.pid)
          const began = performance.now()
          await push(registry, 'bench/push', layer)
          figures[way] = megabytesPerSecond(layer.sizeBytes, performance.now() - began)
          figures[`${way}, cpu`] = readCpuMs(registry.pid) - cpuBeforeMs
          await settleDisk()
          figures[`${way}, synced`] = megabytesPerSecond(layer.sizeBytes, performance.now() - began)
        })
      }
      return figures
    },
  }
}

/** Programs that do nothing but hash the layer, from the page cache. */
function hashers(layer: LayerFile): readonly Contestant[] {
  const commands = [
    { name: 'openssl', command: ['openssl', 'dgst', '-sha256', layer.path] },
    { name: 'sha256sum', command: ['sha256sum', layer.path] },
  ]
  return commands
    .filter(({ name }) => findBinary(name) !== undefined)
    .map(({ name, command }) => ({ name, measure: () => timeAlone(command, layer) }))
}

/** A program that does nothing but write the layer to the same disk and flush it. */
function writer(bench: Bench, layer: LayerFile): Contestant {
  const copy = join(bench.directory, 'push-copy')
  return {
    name: writing,
    async measure() {
      try {
        return await timeAlone(['dd', `if=${layer.path}`, `of=${copy}`, 'bs=1M', 'conv=fsync'], layer)
      } finally {
        await rm(copy, { force: true })
      }
    },
  }
}

async function timeAlone(command: readonly string[], layer: LayerFile): Promise<Record<string, number>> {
  await settleDisk()
  const began = performance.now()
  await capture(command)
  return { alone: megabytesPerSecond(layer.sizeBytes, performance.now() - began) }
}

/** The two limits: of the ways to hash only the fastest counts. */
function fastestHashAndWriting(
  hashes: readonly string[],
  samples: ReadonlyMap<string, readonly number[]>,
): Map<string, readonly number[]> {
  const taken = (name: string) => samples.get(name) ?? []
  const [fastest] = hashes.toSorted((a, b) => median(taken(b)) - median(taken(a)))
  const limits = new Map([[writing, taken(writing)]])
  if (fastest !== undefined) limits.set(`SHA-256 (${fastest})`, taken(fastest))
  return limits
}

/** Waits until nothing written earlier is still on its way to the disk. */
async function settleDisk(): Promise<void> {
  await capture(['sync'])
}
