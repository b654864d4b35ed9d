import { afterEach, beforeEach, expect, test } from 'bun:test'
import type { Delivery, DeliveryOutcome } from '../../src/domain/eventbridge/delivery.ts'
import { parseDestinations } from '../../src/domain/eventbridge/destination.ts'
import type { TargetSettings } from '../../src/domain/eventbridge/rule.ts'
import { EventDelivery } from '../../src/jobs/event-delivery.ts'
import { EventRetention } from '../../src/jobs/event-retention.ts'
import { type Logger, silentLogger } from '../../src/lib/logger.ts'
import { admin, createServices, pushImage, refTo, registry, type Services } from '../support/service-fixture.ts'

const caller = { principal: admin, region: registry.region }
const ARN = `arn:aws:ecru:${registry.region}:${registry.registryId}:event-target/log`
const DEAD = `arn:aws:sqs:${registry.region}:${registry.registryId}:dead`
const eventDestinations = parseDestinations(
  JSON.stringify({ log: { kind: 'stdout' }, 'arn:aws:sqs:*': { kind: 'sqs', endpoint: 'http://127.0.0.1:9' } }),
)
const rule = { name: 'all' }
const DELIVERED = { kind: 'delivered' } as const

let services: Services
let delivery: EventDelivery
let sent: Delivery[]
/** How attempts end, in their order; then all is delivered. */
let outcomes: (DeliveryOutcome | (() => Promise<DeliveryOutcome>))[]

beforeEach(async () => {
  services = await createServices({ eventDestinations })
  sent = []
  outcomes = []
  delivery = deliveryOf(services)
})
afterEach(async () => {
  await delivery.close()
  await services.close()
})

function deliveryOf({ metadata, clock }: Services, tellsExtensions = false, logger: Logger = silentLogger) {
  const send = async (message: Delivery) => {
    sent.push(message)
    const outcome = outcomes.shift() ?? DELIVERED
    return typeof outcome === 'function' ? await outcome() : outcome
  }
  return new EventDelivery(metadata, { send }, clock, logger, {
    destinations: eventDestinations,
    tellsExtensions,
  })
}

async function addRule(pattern: object, ...targets: readonly (Partial<TargetSettings> & { name?: string })[]) {
  await services.eventRules.put(caller, rule, { pattern: JSON.stringify(pattern) })
  const settings = targets.map(({ name = 't', ...more }) => ({ name, settings: { arn: ARN, ...more } }))
  await services.eventTargets.put(caller, rule, settings)
}

const put = (...numbers: readonly number[]) =>
  services.putEvents.put(
    caller,
    numbers.map((n) => ({ source: 'my.app', detailType: 'made', detail: JSON.stringify({ n }) })),
  )
const numbers = () => sent.map(({ input }) => (JSON.parse(input) as { detail: { n: number } }).detail.n)
const failed = (reason = 'no', retryAfterMs?: number): DeliveryOutcome => ({ kind: 'failed', reason, retryAfterMs })
const letters = () => services.eventLog.deadLetters(0, 100)

test('what a rule finds is delivered once and in order, from the moment its target was put', async () => {
  await put(0)
  await addRule({ source: ['my.app'] }, {})
  await put(1, 2)
  await services.repositories.create(admin, refTo('app'))
  await pushImage(services, refTo('app'), 'a', 'v1')
  await put(...[3, 4])
  await delivery.drain()
  await delivery.drain()
  expect(numbers()).toEqual([1, 2, 3, 4])
  for (let at = 0; at < 130; at += 10) await put(...Array.from({ length: 10 }, (_, n) => 5 + at + n))
  await delivery.drain()
  expect(numbers()).toEqual(Array.from({ length: 134 }, (_, n) => n + 1))
  expect(new Set(sent.map(({ eventId }) => eventId)).size).toBe(134)
})

test('the events of the registry itself come as EventBridge has them', async () => {
  await addRule({ source: ['aws.ecr'] }, {})
  await services.repositories.create(admin, refTo('app'))
  await pushImage(services, refTo('app'), 'a', 'v1')
  await delivery.drain()
  expect(sent.map(({ input }) => JSON.parse(input))).toMatchObject([
    {
      version: '0',
      'detail-type': 'ECR Image Action',
      account: registry.registryId,
      region: registry.region,
      time: '2026-03-02T08:00:00Z',
      detail: { 'action-type': 'PUSH', 'image-tag': 'v1', 'repository-name': 'app' },
    },
  ])
  await delivery.close()
  sent = []
  delivery = deliveryOf(services, true)
  await services.repositories.create(admin, refTo('other'))
  await delivery.drain()
  expect(sent.map(({ input }) => JSON.parse(input))).toMatchObject([{ 'detail-type': 'ECR Repository Action' }])
})

test('what fails is tried again later, and what comes after it waits', async () => {
  await addRule({ source: ['my.app'] }, {})
  await put(1, 2)
  outcomes = [failed(), failed('not yet', 60_000)]
  await delivery.drain()
  expect(numbers()).toEqual([1])
  await delivery.drain()
  expect(numbers()).toEqual([1])
  services.clock.advance(1_000)
  await delivery.drain()
  expect(numbers()).toEqual([1, 1])
  expect(await services.eventLog.status()).toMatchObject([
    { rule: 'all', target: 't', attempts: 2, reason: 'not yet', retryAt: '2026-03-02T08:01:01.000Z' },
  ])
  services.clock.advance(59_999)
  await delivery.drain()
  expect(numbers()).toEqual([1, 1])
  services.clock.advance(1)
  await delivery.drain()
  expect(numbers()).toEqual([1, 1, 1, 2])
  expect(await letters()).toEqual([])
})

test('what fails too often, for too long or for good is given up, and the rest goes on', async () => {
  await addRule({ source: ['my.app'] }, { retry: { attemptsMax: 1 }, deadLetterArn: DEAD })
  await put(1, 2)
  outcomes = [failed(), failed('still no')]
  await delivery.drain()
  services.clock.advance(1_000)
  await delivery.drain()
  expect(sent.map(({ arn }) => arn)).toEqual([ARN, ARN, DEAD, ARN])
  expect(numbers()).toEqual([1, 1, 1, 2])
  expect(await letters()).toMatchObject([{ ruleName: 'all', reason: 'still no', attempts: 2 }])
  outcomes = [{ kind: 'refused', reason: 'The endpoint answered 404' }]
  await put(3, 4)
  await delivery.drain()
  expect(numbers().slice(4)).toEqual([3, 3, 4])
  await services.eventTargets.put(caller, rule, [{ name: 't', settings: { arn: ARN, retry: { ageSecondsMax: 60 } } }])
  await put(5)
  outcomes = Array.from({ length: 100 }, () => failed())
  for (let seconds = 0; seconds < 120; seconds++) {
    await delivery.drain()
    services.clock.advance(1_000)
  }
  expect((await letters()).at(-1)).toMatchObject({ attempts: 6 })
  expect(await services.eventLog.forgetDeadLetters(Number.MAX_SAFE_INTEGER)).toBe(3)
})

test('a slow target holds up no other', async () => {
  let end = (_: DeliveryOutcome) => {}
  await addRule({ source: ['my.app'] }, { name: 'slow' })
  outcomes = [() => new Promise((resolve) => (end = resolve))]
  await put(1)
  const first = delivery.drain()
  while (sent.length === 0) await Bun.sleep(1)
  await services.eventTargets.put(caller, rule, [{ name: 'fast', settings: { arn: ARN } }])
  await put(2, 3)
  delivery.start()
  while (sent.length < 3) await Bun.sleep(1)
  expect(numbers()).toEqual([1, 2, 3])
  end(DELIVERED)
  await first
  await delivery.drain()
  expect(numbers().slice(3)).toEqual([2, 3])
})

test('once started, events are delivered as they come', async () => {
  await addRule({ source: ['my.app'] }, {})
  delivery.start()
  for (let n = 1; n <= 20; n++) await put(n)
  while (sent.length < 20) await Bun.sleep(1)
  expect(numbers()).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
})

test('a process that ends before it has noted a delivery makes it again; nothing is lost', async () => {
  await addRule({ source: ['my.app'] }, {})
  await put(1, 2, 3)
  let end = (_: DeliveryOutcome) => {}
  outcomes = [DELIVERED, () => new Promise((resolve) => (end = resolve))]
  const running = delivery.drain()
  while (sent.length < 2) await Bun.sleep(1)
  const closing = delivery.close()
  end(failed('The registry is shutting down.'))
  await Promise.all([running, closing])
  delivery = deliveryOf(services)
  await delivery.drain()
  expect(numbers()).toEqual([1, 2, 2, 3])
  expect(await letters()).toEqual([])
})

test('a rule that is disabled misses what happens', async () => {
  await addRule({ source: ['my.app'] }, {})
  await services.eventRules.setState(caller, rule, 'DISABLED')
  await put(1)
  await delivery.drain()
  await services.eventRules.setState(caller, rule, 'ENABLED')
  await put(2)
  await delivery.drain()
  expect(numbers()).toEqual([2])
})

test('a replay delivers again from a position or a time', async () => {
  await addRule({ source: ['my.app'] }, {}, { name: 'other' })
  await put(1)
  services.clock.advance(60_000)
  await put(2, 3)
  await delivery.drain()
  sent = []
  const first = (await services.eventLog.read(0, 1)).events[0]?.position ?? 0
  expect(await services.eventLog.replay(registry, 'all', { position: first + 2 }, 't')).toMatchObject({
    targets: ['t'],
  })
  await delivery.drain()
  expect(numbers()).toEqual([3])
  sent = []
  await services.eventLog.replay(registry, 'all', { since: new Date('2026-03-02T08:00:30Z') })
  await delivery.drain()
  expect(numbers().toSorted()).toEqual([2, 2, 3, 3])
  const refused = services.eventLog.replay(registry, 'all', { position: first }, 'none')
  await expect(refused).rejects.toThrow('no such target')
  await expect(services.eventLog.replay(registry, 'none', { position: first })).rejects.toThrow('does not exist')
})

test('a target for which nothing waits is not behind', async () => {
  await addRule({ source: ['other.app'] }, {})
  await put(1, 2, 3)
  await delivery.drain()
  expect(sent).toEqual([])
  expect(await services.eventLog.status()).toMatchObject([{ rule: 'all', behind: 0 }])
})

test('a target that is put back while it is served goes back', async () => {
  await addRule({ source: ['my.app'] }, {})
  await put(1, 2)
  const first = (await services.eventLog.read(0, 1)).events[0]?.position ?? 0
  outcomes = [
    DELIVERED,
    async () => {
      await services.eventLog.replay(registry, 'all', { position: first })
      return DELIVERED
    },
  ]
  await delivery.drain()
  expect(numbers()).toEqual([1, 2, 1, 2])
})

test('a target is sent what it asks for', async () => {
  const inputTransformer = { paths: { n: '$.detail.n' }, template: '{"number": <n>, "rule": "<aws.events.rule-name>"}' }
  await addRule({ source: ['my.app'] }, { inputTransformer, http: { query: { a: 'b' } }, messageGroupId: 'g' })
  await put(7)
  await delivery.drain()
  expect(sent).toMatchObject([
    { input: '{"number": 7, "rule": "all"}', http: { query: { a: 'b' } }, messageGroupId: 'g' },
  ])
})

test('old events are forgotten, and a target goes on behind them', async () => {
  await addRule({ source: ['my.app'] }, {})
  outcomes = [failed()]
  await put(1)
  await delivery.drain()
  services.clock.advance(2 * 3_600_000)
  await put(2)
  const retention = new EventRetention(services.metadata, services.clock, { retentionMs: 3_600_000, countMax: 1000 })
  expect(await retention.run(new AbortController().signal)).toEqual({ events: 1, deadLetters: 0 })
  const warned: string[] = []
  await delivery.close()
  delivery = deliveryOf(services, false, { ...silentLogger, warn: (_facts: object, text: string) => warned.push(text) })
  await delivery.drain()
  expect(numbers()).toEqual([1, 2])
  expect(warned).toEqual(['events were forgotten before a target took them'])
})
