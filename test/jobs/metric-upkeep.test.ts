import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { Series } from '../../src/domain/metrics/series.ts'
import { AlarmJob } from '../../src/jobs/alarms.ts'
import { MetricUpkeep } from '../../src/jobs/metric-upkeep.ts'
import { AlarmServices } from '../../src/services/metrics/alarms.ts'
import { MetricCounts } from '../../src/services/metrics/metric-counts.ts'
import { MetricData } from '../../src/services/metrics/metric-data.ts'
import { admin, createServices, refTo, registry, type Services } from '../support/service-fixture.ts'

const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
const series: Series = { registry, metric: 'RepositoryPullCount', subject: 'team/app' }
const { signal } = new AbortController()

let services: Services
let counts: MetricCounts
let data: MetricData
beforeEach(async () => {
  services = await createServices()
  const { metadata, access, clock } = services
  counts = new MetricCounts(metadata, clock, (error) => {
    throw error
  })
  data = new MetricData(metadata, access, counts, clock)
})
afterEach(async () => {
  await services.metadata.close()
})

const sums = async (periodMs: number, days: number) => {
  const now = services.clock.now().getTime()
  const metric = {
    namespace: 'AWS/ECR',
    metricName: 'RepositoryPullCount',
    dimensions: [{ name: 'RepositoryName', value: 'team/app' }],
  }
  const range = { since: new Date(now - days * DAY_MS), until: new Date(now + 1), periodMs }
  return [...(await data.sums(registry, metric, range)).values()]
}

test('counts are kept by the minute for 15 days, by five for 63, by the hour for 455, and no longer', async () => {
  const { metadata, clock } = services
  const upkeep = new MetricUpkeep(metadata, clock)
  counts.pulled(refTo('team/app'))
  clock.advance(MINUTE_MS)
  counts.pulled(refTo('team/app'))
  counts.pulled(refTo('team/app'))
  expect(await sums(MINUTE_MS, 1)).toEqual([1, 2])
  expect(await upkeep.run(signal)).toEqual({ summedUp: 0, forgotten: 0 })
  clock.advance(16 * DAY_MS)
  expect(await upkeep.run(signal)).toEqual({ summedUp: 2, forgotten: 0 })
  expect(await sums(MINUTE_MS, 17)).toEqual([])
  expect(await sums(5 * MINUTE_MS, 17)).toEqual([3])
  clock.advance(48 * DAY_MS)
  await upkeep.run(signal)
  expect(await sums(5 * MINUTE_MS, 70)).toEqual([])
  expect(await sums(60 * MINUTE_MS, 70)).toEqual([3])
  clock.advance(400 * DAY_MS)
  expect(await upkeep.run(signal)).toEqual({ summedUp: 0, forgotten: 1 })
  expect(await metadata.view.metrics.listSeries(registry, new Date(0), { limit: 9 })).toEqual([])
})

test('what cannot be written is reported, and nobody waits for it', async () => {
  const failures: unknown[] = []
  const { metadata, clock } = services
  const broken = { ...metadata, transact: () => Promise.reject(new Error('full')) } as unknown as typeof metadata
  const lossy = new MetricCounts(broken, clock, (error) => failures.push(error))
  lossy.pulled(refTo('team/app'))
  lossy.called(registry.registryId, registry.region, 'ecr:PutImage')
  lossy.called(registry.registryId, registry.region, 'ecr:DescribeImages')
  await lossy.flush()
  expect(failures).toEqual([expect.objectContaining({ message: 'full' })])
})

test('a change of state is told in the transaction that makes it, and only a change', async () => {
  const { metadata, access, clock } = services
  const alarms = new AlarmServices(metadata, access, clock)
  const job = new AlarmJob(metadata, data, clock)
  const caller = { principal: admin, region: registry.region }
  expect(await job.isDue()).toBe(false)
  await alarms.put(
    caller,
    'pulled',
    {
      ...{ actionsEnabled: true, namespace: 'AWS/ECR', metricName: 'RepositoryPullCount', statistic: 'Sum' },
      dimensions: [{ name: 'RepositoryName', value: series.subject }],
      ...{ periodSeconds: 60, evaluationPeriods: 1, threshold: 0, comparison: 'GreaterThanThreshold' },
    },
    [],
  )
  expect(await job.isDue()).toBe(true)
  counts.pulled(refTo('team/app'))
  clock.advance(MINUTE_MS)
  expect(await job.run(signal)).toEqual({ evaluated: 1, changed: 1 })
  expect(await job.isDue()).toBe(false)
  expect(await job.run(signal)).toEqual({ evaluated: 1, changed: 0 })
  const events = (await metadata.view.outbox.list(0, 100)).filter(({ source }) => source === 'aws.cloudwatch')
  expect(events).toHaveLength(1)
  expect(events[0]).toMatchObject({
    detailType: 'CloudWatch Alarm State Change',
    resources: ['arn:aws:cloudwatch:eu-west-3:123456789012:alarm:pulled'],
    detail: { alarmName: 'pulled', state: { value: 'ALARM' }, previousState: { value: 'INSUFFICIENT_DATA' } },
  })
})
