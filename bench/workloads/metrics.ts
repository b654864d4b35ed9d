import { parseRegion, parseRegistryId, parseRepositoryName } from '../../src/domain/names.ts'
import { MasterKey } from '../../src/lib/master-key.ts'
import { detachedContext } from '../../src/protocols/http/context.ts'
import { measured } from '../../src/protocols/http/measured.ts'
import { MetricCounts } from '../../src/services/metrics/metric-counts.ts'
import { Traffic } from '../../src/services/traffic.ts'
import { openMemoryMetadata } from '../../src/stores/metadata/sqlite.ts'
import type { Workload } from '../bench.ts'
import { atMost } from '../row.ts'

const PULLS = 100_000
const PER = 1_000
const REGISTRY = { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') }

/** What metrics cost where every request passes: a thousand pulls counted, for Prometheus and for CloudWatch, around a handler that does nothing. */
export const metrics: Workload = {
  name: 'metrics',
  async run(bench) {
    const taken: number[] = []
    for (let repetition = 0; repetition <= bench.repetitions; repetition++) {
      const ms = await countPulls()
      if (repetition > 0) taken.push(ms)
    }
    return [
      {
        title: 'counting of 1000 pulls',
        unit: 'ms',
        better: 'lower',
        samples: new Map([['Ecru', taken]]),
        budgets: [atMost(2, 'ms')],
      },
    ]
  },
}

async function countPulls(): Promise<number> {
  const metadata = await openMemoryMetadata(new MasterKey(new Uint8Array(32)))
  const counts = new MetricCounts(metadata, { now: () => new Date() }, (error) => {
    throw error
  })
  const traffic = new Traffic(200, counts)
  const ref = { registry: REGISTRY, name: parseRepositoryName('team/app') }
  const response = new Response('x', { headers: { 'content-length': '1' } })
  const handle = measured(async () => {
    traffic.called(REGISTRY.registryId, REGISTRY.region, 'ecr:BatchGetImage')
    traffic.pulled(ref)
    return response
  }, traffic)
  const request = new Request('http://localhost:4566/v2/team/app/manifests/latest')
  const context = detachedContext()
  const startedMs = performance.now()
  for (let count = 0; count < PULLS; count++) await handle(request, context)
  const ms = performance.now() - startedMs
  await counts.flush()
  await metadata.close()
  return (ms / PULLS) * PER
}
