import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { parseRegion } from '../../../src/domain/names.ts'
import { VirtualClock } from '../../../src/lib/virtual-clock.ts'
import {
  admin,
  createServices,
  GRACE_MS,
  pushImage,
  refTo,
  registry,
  type Services,
  stranger,
} from '../../support/service-fixture.ts'
import { askOperator, type Surroundings } from './operator-fixture.ts'

let services: Services

beforeEach(async () => {
  services = await createServices()
})

afterEach(() => services.close())

const DAY_MS = 86_400_000
const ROUTES = [
  ['GET', '/_ecru/clock', undefined],
  ['POST', '/_ecru/clock', '{"advanceSeconds":1}'],
  ['POST', '/_ecru/reset', '{}'],
] as const

describe('the clock', () => {
  test('is told, and moved ahead; what is due by then is done before the answer', async () => {
    const clock = new VirtualClock(services.clock)
    const caughtUpAt: Date[] = []
    const catchUp = async () => {
      caughtUpAt.push(clock.now())
    }
    const ask = (surroundings: Surroundings) => askOperator(services, '/_ecru/clock', surroundings, { clock, catchUp })
    expect(await ask({ method: 'GET' })).toEqual({
      status: 200,
      body: { now: '2026-03-02T08:00:00.000Z', offsetSeconds: 0 },
    })
    const moved = { now: '2026-03-04T08:00:00.500Z', offsetSeconds: 172_800.5 }
    expect(await ask({ body: '{"advanceSeconds": 172800.5}' })).toEqual({ status: 200, body: moved })
    expect(caughtUpAt).toEqual([new Date(moved.now)])
    expect(await ask({ body: '{"advanceSeconds": 0}' })).toEqual({ status: 200, body: moved })
    expect(await ask({ method: 'GET' })).toEqual({ status: 200, body: moved })
  })

  test.each([
    '',
    '1',
    'null',
    '[]',
    '{}',
    '{"advanceSeconds":-1}',
    '{"advanceSeconds":"1"}',
    '{"advanceSeconds":1e10}',
    '{"advanceSeconds":1e999}',
    '{"advanceSeconds":1,"advanceSeconds":2}',
    '{"advanceSeconds":1,"now":2}',
    '{"advanceSeconds":1',
  ])('is not moved by %p', async (body) => {
    const clock = new VirtualClock(services.clock)
    const answer = await askOperator(services, '/_ecru/clock', { body }, { clock })
    expect(answer).toMatchObject({ status: 400, body: { code: 'InvalidParameterException' } })
    expect(clock.offsetMs).toBe(0)
  })

  test('moves lifecycle policies, tokens and garbage collection', async () => {
    const ref = refTo('app')
    await services.repositories.create(admin, ref)
    await pushImage(services, ref, 'old', 'v1')
    const { password } = await services.tokens.issue(admin, registry.region)
    const rules = [
      {
        rulePriority: 1,
        selection: { tagStatus: 'any', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 1 },
        action: { type: 'expire' },
      },
    ]
    await services.lifecycle.putPolicy(admin, ref, JSON.stringify({ rules }))
    services.lifecycleJobs.start()
    await askOperator(
      services,
      '/_ecru/clock',
      { body: '{"advanceSeconds":172800}' },
      {
        clock: {
          now: () => services.clock.now(),
          offsetMs: 0,
          advance: (ms) => services.clock.advance(ms),
        },
        catchUp: () => services.lifecycleJobs.catchUp(),
      },
    )
    const { id = 0 } = (await services.metadata.view.repositories.find(ref)) ?? {}
    expect(await services.metadata.view.images.count(id)).toBe(0)
    await expect(services.tokens.verify(password)).rejects.toMatchObject({ code: 'token-expired' })
    services.clock.advance(GRACE_MS + DAY_MS)
    expect(await services.gc.run(new AbortController().signal)).toMatchObject({ deletedBlobs: 2 })
  })
})

describe('a reset', () => {
  const [mine, elsewhere] = [
    refTo('team/app'),
    { ...refTo('team/app'), registry: { ...registry, region: parseRegion('us-east-1') } },
  ]
  const names = async (region = registry.region) => {
    const place = { ...registry, region }
    return (await services.metadata.view.repositories.list(place, { limit: 10 })).map(({ name }) => String(name))
  }

  beforeEach(async () => {
    for (const ref of [mine, refTo('other'), elsewhere]) {
      await services.repositories.create(admin, ref)
      await pushImage(services, ref, ref.name, 'v1')
    }
  })

  test('empties what it is told to', async () => {
    const reset = (scope: object) => askOperator(services, '/_ecru/reset', { body: JSON.stringify(scope) })
    expect(await reset({ account: stranger.accountId })).toEqual({ status: 200, body: { repositories: 0 } })
    expect(await reset({ repository: 'team/app' })).toEqual({ status: 200, body: { repositories: 1 } })
    expect(await names()).toEqual(['other'])
    expect(await names(parseRegion('us-east-1'))).toEqual(['team/app'])
    expect(await reset({ repository: 'team/app', region: 'us-east-1', account: admin.accountId })).toMatchObject({
      body: { repositories: 1 },
    })
    expect(await reset({ region: 'eu-west-3' })).toMatchObject({ body: { repositories: 1 } })
    expect(await reset({})).toMatchObject({ body: { repositories: 0 } })
  })

  test('leaves tokens as they are, and the same push works again', async () => {
    const { password } = await services.tokens.issue(admin, registry.region)
    await askOperator(services, '/_ecru/reset', { body: '{}' })
    expect((await services.tokens.verify(password)).principal).toEqual(admin)
    await services.repositories.create(admin, mine)
    await pushImage(services, mine, mine.name, 'v1')
    expect(await names()).toEqual(['team/app'])
  })

  test('empties everything without a body, unless a scope stands in the address', async () => {
    expect(await askOperator(services, '/_ecru/reset?repository=other')).toMatchObject({ status: 400 })
    expect(await names()).toEqual(['other', 'team/app'])
    expect(await askOperator(services, '/_ecru/reset')).toEqual({ status: 200, body: { repositories: 3 } })
    expect(await names()).toEqual([])
  })

  test.each([
    '"all"',
    '{"acount":"123456789012"}',
    '{"account":123456789012}',
    '{"account":"1"}',
    '{"region":""}',
    '{"repository":null}',
    '{"repository":"No Name"}',
  ])('does nothing for %p', async (body) => {
    const answer = await askOperator(services, '/_ecru/reset', { body })
    expect(answer).toMatchObject({ status: 400, body: { code: 'InvalidParameterException' } })
    expect(await names()).toEqual(['other', 'team/app'])
  })
})

describe('neither is there', () => {
  test.each(ROUTES)('%s %s in the server profile', async (method, path, body) => {
    const given = body === undefined ? { method } : { method, body }
    const answer = await askOperator(services, path, { ...given, profile: 'server' })
    expect(answer.status).toBe(404)
    expect(String(answer.body.message).split(';')[1]).not.toContain(path)
  })

  test.each(ROUTES)('%s %s from another machine, or for a web page', async (method, path, body) => {
    const given = body === undefined ? { method } : { method, body }
    for (const surroundings of [
      { isLoopback: false },
      { headers: { origin: 'http://elsewhere' } },
      { headers: { 'sec-fetch-site': 'none' } },
    ])
      expect(await askOperator(services, path, { ...given, ...surroundings })).toMatchObject({
        status: 403,
        body: { code: 'AccessDeniedException' },
      })
  })
})
