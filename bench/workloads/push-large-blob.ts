import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, interleave, megabytesPerSecond, type Workload, withFreshRegistry } from '../bench.ts'
import { capture } from '../child-processes.ts'
import { findBinary } from '../find-binary.ts'
import { type LayerFile, writeLayerFile } from '../generated-layer.ts'
import { pushBlob } from '../registry-client.ts'
import type { RegistryPeer, RunningRegistry } from '../registry-peer.ts'
import { atLeastBestPeer, atLeastLimit } from '../row.ts'
import { pushChunked, pushWhole } from '../transfer.ts'

/**
 * One client pushes one layer that the registry has never seen, into a registry on an empty directory. Ecru answers
 * when the layer is on the disk; what the peers still owe the disk is paid by a `sync` after their answer, timed apart.
 */
export const pushLargeBlob: Workload = {
  name: 'push',
  async run(bench) {
    const sizeBytes = bench.quick ? 128 << 20 : 1 << 30
    const layer = await writeLayerFile(join(bench.directory, 'push-layer'), 'push', sizeBytes)
    try {
      const limits = await measureLimits(bench, layer)
      const ways = { chunked: pushChunked, whole: pushWhole }
      const samples = await interleave(bench, 'push', bench.registries, (peer) =>
        measurePushes(bench, peer, layer, ways),
      )
      const title = `push of one ${sizeBytes >> 20} MiB blob`
      const shared = { unit: 'MB/s', better: 'higher', limits } as const
      const budgets = [atLeastLimit(0.85, 'slower of SHA-256 and write + fsync'), atLeastBestPeer(1)]
      return [
        { title: `${title}, as docker does (chunked PATCH)`, ...shared, samples: samples('chunked'), budgets },
        { title: `${title}, as containerd does (one PUT)`, ...shared, samples: samples('whole'), budgets },
        { title: `${title}, chunked, and then on the disk (\`sync\`)`, ...shared, samples: samples('chunked, synced') },
      ]
    } finally {
      await rm(layer.path)
    }
  },
}

/** The hashing and the writing of the same bytes, each alone and from the page cache. */
async function measureLimits(bench: Bench, layer: LayerFile): Promise<Map<string, number[]>> {
  const copy = join(bench.directory, 'copy')
  const hashers = [
    ['openssl', 'dgst', '-sha256', layer.path],
    ['sha256sum', layer.path],
  ].filter(([name]) => findBinary(name ?? ''))
  const work = [
    ...hashers.map((command) => ({ name: command[0] ?? '', run: () => capture(command) })),
    {
      name: 'write + fsync',
      run: () => capture(['dd', `if=${layer.path}`, `of=${copy}`, 'bs=1M', 'conv=fsync']),
    },
  ]
  const samples = (
    await interleave(bench, 'push limits', work, async ({ run }) => {
      await rm(copy, { force: true })
      await settleDisk()
      const began = performance.now()
      await run()
      return { speed: megabytesPerSecond(layer.sizeBytes, performance.now() - began) }
    })
  )('speed')
  await rm(copy, { force: true })
  const fastestHash = hashers
    .map(([name]) => ({ name: name ?? '', taken: samples.get(name ?? '') ?? [] }))
    .toSorted((a, b) => Math.max(...b.taken) - Math.max(...a.taken))[0]
  return new Map([
    ...(fastestHash === undefined ? [] : [[`SHA-256 (${fastestHash.name})`, fastestHash.taken] as const]),
    ['write + fsync', samples.get('write + fsync') ?? []],
  ])
}

async function measurePushes(
  bench: Bench,
  peer: RegistryPeer,
  layer: LayerFile,
  ways: Record<string, (registry: RunningRegistry, repository: string, layer: LayerFile) => Promise<void>>,
): Promise<Record<string, number>> {
  const figures: Record<string, number> = {}
  for (const [way, push] of Object.entries(ways)) {
    await withFreshRegistry(bench, peer, async (registry) => {
      await registry.createRepository('bench/push')
      await pushBlob(registry, 'bench/push', Buffer.from('wakes up the code and the login'))
      await settleDisk()
      const began = performance.now()
      await push(registry, 'bench/push', layer)
      figures[way] = megabytesPerSecond(layer.sizeBytes, performance.now() - began)
      await settleDisk()
      figures[`${way}, synced`] = megabytesPerSecond(layer.sizeBytes, performance.now() - began)
    })
  }
  return figures
}

/** Waits until nothing written earlier is still on its way to the disk. */
async function settleDisk(): Promise<void> {
  await capture(['sync'])
}
