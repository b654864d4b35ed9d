import { expect, test } from 'bun:test'
import ecr from '../../../models/ecr.json' with { type: 'json' }
import { createJsonRpc } from '../../../src/protocols/aws/json-rpc.ts'
import { loadedJson } from '../../../src/protocols/aws/loaded.ts'
import { operationTable } from '../../../src/protocols/aws/operation-table.ts'
import { ClientGone } from '../../../src/protocols/http/body.ts'
import { detachedContext, type RequestContext } from '../../../src/protocols/http/context.ts'
import { LargeBodies } from '../../../src/protocols/http/large-bodies.ts'
import { awsSetting, requestContext } from '../aws/aws-setting.ts'
import { signed } from '../aws/sign.ts'
import { createPlane, createRepository, putImage } from '../oci/plane.ts'

const MIB = 1024 * 1024

/** An API whose pushes of images wait at a gate, with room for two bodies of a MiB. */
function gatedApi() {
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
  const rpc = createJsonRpc([loadedJson(service)], awsSetting({ profile: 'dev' }), new LargeBodies(2 * MIB))
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
