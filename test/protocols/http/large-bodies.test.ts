import { expect, test } from 'bun:test'
import ecr from '../../../models/ecr.json' with { type: 'json' }
import { createJsonRpc } from '../../../src/protocols/aws/json-rpc.ts'
import { loadedJson, loadedQuery } from '../../../src/protocols/aws/loaded.ts'
import { operationTable } from '../../../src/protocols/aws/operation-table.ts'
import { createQuery } from '../../../src/protocols/aws/query.ts'
import { ClientGone } from '../../../src/protocols/http/body.ts'
import type { Patience } from '../../../src/protocols/http/body-room.ts'
import { detachedContext, type RequestContext } from '../../../src/protocols/http/context.ts'
import { LargeBodies } from '../../../src/protocols/http/large-bodies.ts'
import type { StsServices } from '../../../src/protocols/sts/operation.ts'
import { stsService } from '../../../src/protocols/sts/operations.ts'
import { awsSetting, requestContext } from '../aws/aws-setting.ts'
import { signed } from '../aws/sign.ts'
import { createPlane, createRepository, putImage } from '../oci/plane.ts'

const MIB = 1024 * 1024

/** Nobody waits long; what has brought nothing is too slow at once. */
const IMPATIENT: Patience = { waitMs: 40, lookMs: 5, graceMs: 0, bytesPerSecond: 1 }

/** An API whose pushes of images wait at a gate, with room for two bodies of a MiB. */
function gatedApi(patience?: Patience) {
  const waiting: (() => void)[] = []
  const handlers = {
    PutImage: async () => {
      await new Promise<void>((pass) => waiting.push(pass))
      return {}
    },
    DescribeRepositories: async () => ({}),
  }
  const unsupported = Object.keys(ecr.operations).filter((name) => !(name in handlers))
  const service = { model: ecr, operations: operationTable(ecr, handlers, unsupported, (call) => call) }
  const rpc = createJsonRpc([loadedJson(service)], awsSetting({ profile: 'dev' }), new LargeBodies(2 * MIB, patience))
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const call = async (operation: string, input: object, context: RequestContext = requestContext()) => {
    const body = JSON.stringify(input)
    const target = `AmazonEC2ContainerRegistry_V20150921.${operation}`
    const headers = { 'x-amz-target': target, 'content-length': String(body.length) }
    return rpc(await signed({ headers, body, credentials }), context)
  }
  return {
    push: (context?: RequestContext) =>
      call('PutImage', { repositoryName: 'app', imageManifest: 'x'.repeat(MIB - 100) }, context),
    ask: () => call('DescribeRepositories', {}),
    underWay: () => waiting.length,
    passOne: () => waiting.shift()?.(),
  }
}

/** Lets everything happen that nothing holds up. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

test('large inputs wait for room in memory, and all are answered', async () => {
  const api = gatedApi()
  const pushes = Array.from({ length: 5 }, () => api.push())
  let answered = 0
  for (const push of pushes) void push.then(() => answered++)
  await settled()
  while (answered < pushes.length) {
    expect(api.underWay()).toBeLessThanOrEqual(2)
    api.passOne()
    await settled()
  }
  expect((await Promise.all(pushes)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
})

test('a small question does not wait for them', async () => {
  const api = gatedApi()
  const pushes = Array.from({ length: 3 }, () => api.push())
  await settled()
  expect(api.underWay()).toBe(2)
  expect((await api.ask()).status).toBe(200)
  for (let left = pushes.length; left > 0; left--) {
    api.passOne()
    await settled()
  }
  await Promise.all(pushes)
})

test('a client that leaves while it waits takes no room', async () => {
  const api = gatedApi()
  const first = [api.push(), api.push()]
  await settled()
  const leaving = new AbortController()
  const gone = api.push(detachedContext({ signal: leaving.signal })).catch((thrown: unknown) => thrown)
  await settled()
  leaving.abort(new Error('left'))
  expect(await gone).toBeInstanceOf(ClientGone)
  api.passOne()
  api.passOne()
  await Promise.all(first)
  const later = [api.push(), api.push()]
  await settled()
  expect(api.underWay()).toBe(2)
  api.passOne()
  api.passOne()
  await Promise.all(later)
})

test('who finds no room for long is told to come again', async () => {
  const api = gatedApi(IMPATIENT)
  const first = [api.push(), api.push()]
  await settled()
  const refused = await api.push()
  expect([refused.status, await refused.json()]).toEqual([
    400,
    { __type: 'ThrottlingException', message: 'Rate exceeded' },
  ])
  api.passOne()
  api.passOne()
  expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
})

test('of very many, most are told at once', async () => {
  const api = gatedApi({ ...IMPATIENT, waitMs: 60_000 })
  const many = Array.from({ length: 100 }, () => api.push())
  let throttled = 0
  for (const push of many) void push.then(({ status }) => (throttled += status === 400 ? 1 : 0))
  await settled()
  expect(throttled).toBe(100 - 64 - 2)
  for (let left = 66; left > 0; left--) {
    api.passOne()
    await settled()
  }
  expect((await Promise.all(many)).filter(({ status }) => status === 200)).toHaveLength(66)
})

/** A request that promises a MiB, brings `begun` bytes of it, and then nothing more. */
function stalled(begun: number): Request {
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array(begun)),
  })
  return new Request('http://localhost/', { method: 'POST', body, headers: { 'content-length': String(MIB) } })
}

const whole = () =>
  new Request('http://localhost/', {
    method: 'POST',
    body: 'x'.repeat(MIB),
    headers: { 'content-length': String(MIB) },
  })

const sizeOf = async (bytes: Uint8Array) => bytes.byteLength

test('a body that stalls, however near its end, gives up its room once somebody waits for it', async () => {
  const bodies = new LargeBodies(MIB, { ...IMPATIENT, waitMs: 10_000, bytesPerSecond: 64 * MIB })
  const slow = bodies.use(stalled(MIB - 1), MIB, requestContext(), sizeOf).catch((thrown: unknown) => thrown)
  await settled()
  expect(await bodies.use(whole(), MIB, requestContext(), sizeOf)).toBe(MIB)
  expect(await slow).toMatchObject({ code: 'throttled' })
})

test('one that moves on keeps it, and so does any while nobody waits', async () => {
  const bodies = new LargeBodies(MIB, { ...IMPATIENT, graceMs: 60_000 })
  let isOver = false
  const leaving = new AbortController()
  const context = detachedContext({ signal: leaving.signal })
  void bodies.use(stalled(1000), MIB, context, sizeOf).finally(() => {
    isOver = true
  })
  const refused = await bodies.use(whole(), MIB, requestContext(), sizeOf).catch((thrown: unknown) => thrown)
  expect(refused).toMatchObject({ code: 'throttled' })
  expect(isOver).toBe(false)
})

test('what is small has room beside what is large', async () => {
  const bodies = new LargeBodies(MIB, IMPATIENT)
  void bodies.use(stalled(1000), MIB, requestContext(), sizeOf).catch(() => {})
  await settled()
  const small = new Request('http://localhost/', {
    method: 'POST',
    body: 'x'.repeat(200 * 1024),
    headers: { 'content-length': String(200 * 1024) },
  })
  expect(await bodies.use(small, MIB, requestContext(), sizeOf)).toBe(200 * 1024)
})

test('forms take of a room of theirs, before anybody knows who sends them', async () => {
  const forms = new LargeBodies(MIB, { ...IMPATIENT, graceMs: 60_000 })
  const sts = createQuery([loadedQuery(stsService({} as StsServices))], awsSetting({ profile: 'server' }), forms)
  void sts(stalled(1000), requestContext())
  await settled()
  const answered = await sts(whole(), requestContext())
  expect([answered.status, /<Code>(\w+)<\/Code>/.exec(await answered.text())?.[1]]).toEqual([400, 'Throttling'])
})

test('manifests on `/v2/` take of the same room', async () => {
  const bodies = new LargeBodies(MIB)
  const plane = await createPlane({ bodies })
  await createRepository(plane, 'app')
  const giveBack = Promise.withResolvers<void>()
  const body = 'x'.repeat(MIB)
  const headers = { 'content-length': String(MIB) }
  const request = new Request('http://localhost/', { method: 'POST', body, headers })
  const held = bodies.use(request, MIB, requestContext(), () => giveBack.promise)
  const annotations = { note: 'y'.repeat(MIB / 2) }
  let isStored = false
  const push = putImage(plane, 'app', 'v1', 'a', { annotations }).then(() => {
    isStored = true
  })
  await settled()
  expect(isStored).toBe(false)
  giveBack.resolve()
  await Promise.all([held, push])
  expect(isStored).toBe(true)
  await plane.close()
})

test('a body that is needed no more is freed at once', async () => {
  const body = new LargeBodies().of(
    new Request('http://localhost/', { method: 'POST', body: 'x'.repeat(MIB) }),
    MIB,
    requestContext(),
  )
  const bytes = await body.read()
  expect(bytes.byteLength).toBe(MIB)
  body.drop()
  expect(bytes.byteLength).toBe(0)
  body.drop()
  body.release()
})
