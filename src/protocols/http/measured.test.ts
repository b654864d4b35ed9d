import { expect, test } from 'bun:test'
import { readBody } from './body.ts'
import { detachedContext } from './context.ts'
import { measured, routeOf } from './measured.ts'

test.each([
  ['/v2/', 'v2'],
  ['/v2', 'v2'],
  ['/v2/_catalog', 'v2'],
  ['/v2/team/app/manifests/latest', 'manifests'],
  ['/v2/manifests/blobs/manifests/sha256:00', 'manifests'],
  ['/v2/app/blobs/sha256:00', 'blobs'],
  ['/v2/app/blobs/uploads/', 'uploads'],
  ['/v2/app/blobs/uploads', 'uploads'],
  ['/v2/app/blobs/uploads/0a1b', 'uploads'],
  ['/v2/app/tags/list', 'tags'],
  ['/v2/app/referrers/sha256:00', 'referrers'],
  ['/', 'api'],
  ['/service/X/operation/Y', 'api'],
  ['/_ecru/layers/x', 'layers'],
  ['/_ecru/gc', 'operator'],
  ['/metrics', 'operator'],
  ['/favicon.ico', 'other'],
])('%s goes to %s', (path, route) => {
  expect(routeOf(path)).toBe(route as ReturnType<typeof routeOf>)
})

const meter = () => {
  const answered: unknown[][] = []
  return {
    requestsInFlight: 0,
    seen: answered,
    answered(...[route, method, status, , { sent, received }]: Parameters<Parameters<typeof measured>[1]['answered']>) {
      answered.push([route, method, status, sent, received])
    },
  }
}

test('what came and what went is counted, also of a request that fails', async () => {
  const to = meter()
  const handle = measured(async (request, context) => {
    if (request.method === 'DELETE') throw new Error('broken')
    expect(to.requestsInFlight).toBe(1)
    const body = request.body === null ? undefined : await readBody(request, 100, context)
    return new Response(body, { status: 201, headers: { 'content-length': String(body?.length ?? 7) } })
  }, to)
  const ask = (method: string, body?: string) =>
    handle(
      new Request('http://localhost/v2/a/blobs/uploads/x', { method, ...(body === undefined ? {} : { body }) }),
      detachedContext(),
    )
  await ask('PUT', 'hello')
  await ask('HEAD')
  await ask('PROPFIND')
  await expect(ask('DELETE')).rejects.toThrow('broken')
  expect(to.seen).toEqual([
    ['uploads', 'PUT', 201, 5, 5],
    ['uploads', 'HEAD', 201, 0, 0],
    ['uploads', 'OTHER', 201, 7, 0],
    ['uploads', 'DELETE', 500, 0, 0],
  ])
  expect(to.requestsInFlight).toBe(0)
})
