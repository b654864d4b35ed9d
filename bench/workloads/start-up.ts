import { interleave, type Workload, withFreshRegistry } from '../bench.ts'
import { atMost } from '../row.ts'

/** From spawning the process to its first answer on /v2/, on an empty directory. */
export const startUp: Workload = {
  name: 'start-up',
  async run(bench) {
    const patient = { ...bench, repetitions: bench.quick ? 2 : 2 * bench.repetitions }
    const samples = await interleave(patient, 'start-up', bench.registries, async (peer) => ({
      ready: await withFreshRegistry(bench, peer, async ({ readyMs }) => readyMs),
    }))
    return [
      {
        title: 'start to first answer, empty',
        unit: 'ms',
        better: 'lower',
        samples: samples('ready'),
        budgets: [atMost(150, 'ms')],
      },
    ]
  },
}
