import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { Delivery } from '../../src/domain/eventbridge/delivery.ts'
import { parseDestinations } from '../../src/domain/eventbridge/destination.ts'
import type { AlarmDefinition, AlarmStateValue } from '../../src/domain/metrics/alarm.ts'
import { EventDelivery } from '../../src/jobs/event-delivery.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { AlarmServices } from '../../src/services/metrics/alarms.ts'
import { admin, createServices, registry, type Services } from '../support/service-fixture.ts'

const caller = { principal: admin, region: registry.region }
const OPS = `arn:aws:sns:${registry.region}:${registry.registryId}:ops`
const LOG = `arn:aws:ecru:${registry.region}:${registry.registryId}:event-target/log`
const eventDestinations = parseDestinations(
  JSON.stringify({ log: { kind: 'stdout' }, 'arn:aws:sns:*': { kind: 'http', url: 'http://127.0.0.1:9' } }),
)

let services: Services
let alarms: AlarmServices
let delivery: EventDelivery
let sent: Delivery[]

beforeEach(async () => {
  services = await createServices({ eventDestinations })
  const { metadata, access, clock } = services
  alarms = new AlarmServices(metadata, access, clock, eventDestinations)
  sent = []
  const send = async (message: Delivery) => {
    sent.push(message)
    return { kind: 'delivered' } as const
  }
  const settings = { destinations: eventDestinations, tellsExtensions: false }
  delivery = new EventDelivery(metadata, { send }, clock, silentLogger, settings)
})
afterEach(async () => {
  await delivery.close()
  await services.close()
})

const definition = (more: Partial<AlarmDefinition> = {}): AlarmDefinition =>
  ({
    actionsEnabled: true,
    namespace: 'AWS/ECR',
    metricName: 'RepositoryPullCount',
    dimensions: [],
    statistic: 'Sum',
    periodSeconds: 60,
    evaluationPeriods: 1,
    threshold: 5,
    comparison: 'GreaterThanThreshold',
    ...more,
  }) as AlarmDefinition
const put = (more: Partial<AlarmDefinition>, name = 'many pulls/day') => alarms.put(caller, name, definition(more), [])
async function turn(value: AlarmStateValue, name = 'many pulls/day') {
  services.clock.advance(1_000)
  await alarms.setState(caller, name, value, `now ${value}`, undefined)
  await delivery.drain()
}
const told = () =>
  sent
    .splice(0)
    .map(({ arn, input }) => [arn, (JSON.parse(input) as { detail: { state: { value: string } } }).detail.state.value])
const rules = () => services.eventRules.list(caller, undefined, '', { limit: 50 })

test('each change of state goes to the actions for it, and to them alone', async () => {
  await put({ actions: { ALARM: [OPS, LOG], OK: [LOG] } })
  await put({}, 'without')
  await turn('ALARM')
  expect(told().toSorted()).toEqual([
    [LOG, 'ALARM'],
    [OPS, 'ALARM'],
  ])
  await turn('ALARM')
  await turn('INSUFFICIENT_DATA')
  await turn('ALARM', 'without')
  expect(told()).toEqual([])
  await turn('OK')
  expect(told()).toEqual([[LOG, 'OK']])
})

test('what is sent is the event, as rules of EventBridge see it', async () => {
  await put({ actions: { ALARM: [OPS] } })
  await turn('ALARM')
  expect(JSON.parse(sent[0]?.input ?? '')).toMatchObject({
    source: 'aws.cloudwatch',
    'detail-type': 'CloudWatch Alarm State Change',
    resources: [`arn:aws:cloudwatch:${registry.region}:${registry.registryId}:alarm:many pulls/day`],
    detail: {
      alarmName: 'many pulls/day',
      state: { value: 'ALARM', reason: 'now ALARM' },
      previousState: { value: 'INSUFFICIENT_DATA' },
    },
  })
})

test('actions follow the alarm: changed, disabled, enabled, deleted', async () => {
  await put({ actions: { ALARM: [OPS], OK: [OPS] } })
  await put({ actions: { ALARM: [LOG] } })
  await turn('ALARM')
  await turn('OK')
  expect(told()).toEqual([[LOG, 'ALARM']])
  await put({ actionsEnabled: false, actions: { ALARM: [LOG] } })
  await turn('ALARM')
  await put({ actions: { ALARM: [LOG] } })
  await delivery.drain()
  expect(told()).toEqual([])
  await turn('OK')
  await turn('ALARM')
  expect(told()).toEqual([[LOG, 'ALARM']])
  await alarms.delete(caller, ['many pulls/day'])
  await put({})
  await turn('ALARM')
  expect(told()).toEqual([])
  expect(await services.eventLog.status()).toEqual([])
})

test('changing an alarm loses no action that is under way', async () => {
  await put({ actions: { ALARM: [OPS] } })
  await alarms.setState(caller, 'many pulls/day', 'ALARM', 'x', undefined)
  await put({ actions: { ALARM: [OPS] }, threshold: 7 } as Partial<AlarmDefinition>)
  await delivery.drain()
  expect(told()).toEqual([[OPS, 'ALARM']])
})

test('accounts do not see the rules behind them, nor do they count', async () => {
  await put({ actions: { ALARM: [OPS] } })
  await services.eventRules.put(caller, { name: 'mine' }, { pattern: '{"source":["x"]}' })
  expect((await rules()).items.map(({ name }) => name)).toEqual(['mine'])
  expect(await services.metadata.view.eventRules.count(registry)).toBe(1)
  expect(await services.eventLog.status()).toMatchObject([{ rule: 'ecru:alarm/ALARM/many pulls/day', target: OPS }])
})

test('an action that leads nowhere is refused, and more than five for a state', async () => {
  const other = `arn:aws:lambda:${registry.region}:${registry.registryId}:function:f`
  await expect(put({ actions: { OK: [OPS, other] } })).rejects.toThrow(
    `Invalid alarm action ${other}: No destination is configured here for this kind of Arn.`,
  )
  const many = Array.from({ length: 6 }, (_, at) => `${OPS}${at}`)
  await expect(put({ actions: { ALARM: many } })).rejects.toThrow('An alarm can have 5 actions for a state')
  expect(await alarms.getMany(caller, ['many pulls/day'])).toEqual([])
})
