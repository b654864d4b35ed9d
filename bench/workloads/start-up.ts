import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, interleave, type Workload, withFreshRegistry } from '../bench.ts'
import { ecru } from '../peers/ecru.ts'
import { seedEcru } from '../peers/ecru-store.ts'
import { atMost, type Row } from '../row.ts'

/** From spawning the process to its first answer on /v2/: on an empty directory, and for Ecru on one of many images. */
export const startUp: Workload = {
  name: 'start-up',
  async run(bench) {
    const patient = { ...bench, repetitions: bench.quick ? 2 : 2 * bench.repetitions }
    const samples = await interleave(patient, 'start-up', bench.registries, async (peer) => ({
      ready: await withFreshRegistry(bench, peer, async ({ readyMs }) => readyMs),
    }))
    const shared = { unit: 'ms', better: 'lower' } as const
    const empty: Row = {
      title: 'start to first answer, empty',
      ...shared,
      samples: samples('ready'),
      budgets: [atMost(150, 'ms')],
    }
    if (!bench.registries.includes(ecru)) return [empty]
    return [
      empty,
      {
        title: `start to first answer, ${bench.images.toLocaleString('en')} images`,
        ...shared,
        samples: await startLarge(patient),
        budgets: [atMost(1000, 'ms')],
      },
    ]
  },
}

async function startLarge(bench: Bench): Promise<Map<string, number[]>> {
  const directory = join(bench.directory, 'start-up')
  await mkdir(directory)
  try {
    await seedEcru(directory, bench.images)
    const samples = await interleave(bench, 'start-up, large', [ecru], async () => {
      const registry = await ecru.start(directory)
      await registry.stop()
      return { ready: registry.readyMs }
    })
    return samples('ready')
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
