import { expect, test } from 'bun:test'
import { silentLogger } from '../../../src/lib/logger.ts'
import { detachedContext, type Handler } from '../../../src/protocols/http/context.ts'
import { createRouter, pathOf } from '../../../src/protocols/http/router.ts'
import { startHttpServer } from '../../../src/protocols/http/server.ts'
import { rawClient } from './raw-client.ts'

const answering =
  (name: string): Handler =>
  async () =>
    new Response(name)

const route = createRouter({
  oci: answering('oci'),
  layerDownloads: answering('downloads'),
  awsJson: answering('json'),
  awsQuery: answering('query'),
  awsRest: { paths: new Set(['/findings/list']), handle: answering('rest') },
  awsCbor: answering('cbor'),
  operations: answering('operations'),
})

const FORM = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' }
const JSON_TARGET = { 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.DescribeRepositories' }

const ROUTES: readonly (readonly [string, string, string, Record<string, string>?])[] = [
  ['GET', '/v2/', 'oci'],
  ['GET', '/v2', 'oci'],
  ['PUT', '/v2/team/app/manifests/latest', 'oci'],
  ['POST', '/', 'json', JSON_TARGET],
  ['POST', '/', 'json', { ...JSON_TARGET, ...FORM }],
  ['POST', '/', 'json'],
  ['POST', '/', 'query', FORM],
  ['GET', '/?Action=GetCallerIdentity&Version=2011-06-15', 'query'],
  ['GET', '/?Version=2011-06-15&Action=GetCallerIdentity', 'query'],
  ['POST', '/findings/list', 'rest'],
  ['GET', '/_ecru/layers/abc?x=1', 'downloads'],
  ['GET', '/_ecru/health', 'operations'],
  ['GET', '/metrics', 'operations'],
  ['POST', '/service/GraniteServiceVersion20100801/operation/ListMetrics', 'cbor'],
  ['POST', '/_ecru/gc', 'operations'],
]

for (const [method, target, plane, headers = {}] of ROUTES) {
  test(`${method} ${target} with ${Object.keys(headers).join(' and ') || 'no special header'} goes to ${plane}`, async () => {
    const response = await route(new Request(`http://localhost:4566${target}`, { method, headers }), detachedContext())
    expect(await response.text()).toBe(plane)
  })
}

test('GET / says what this is', async () => {
  const response = await route(new Request('http://localhost:4566/'), detachedContext())
  expect(response.status).toBe(200)
  expect(await response.text()).toStartWith('This is Ecru')
})

for (const target of ['/v1/', '/v20/', '/_ecru', '/favicon.ico', '/V2/']) {
  test(`GET ${target} is nobody's, and the answer says where to go`, async () => {
    const response = await route(new Request(`http://localhost:4566${target}`), detachedContext())
    expect(response.status).toBe(404)
    expect((await response.json()) as object).toEqual({
      message: expect.stringContaining(`GET ${target}. Push and pull go to /v2/`),
    })
  })
}

const PATHS = [
  ['http://localhost:4566/v2/a?b=/c', '/v2/a'],
  ['https://registry.example.com/', '/'],
  ['http://localhost', '/'],
  ['/v2/a', '/v2/a'],
  ['/?q', '/'],
] as const

for (const [url, path] of PATHS) {
  test(`the path of ${url} is ${path}`, () => expect(pathOf(url)).toBe(path))
}

test('without a host that is one, signed requests are refused; health and the registry answer all the same', async () => {
  const options = { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 10_000, logger: silentLogger }
  const server = startHttpServer(options, route)
  const statusOf = async (request: string, host: string) => {
    const client = await rawClient(server.port)
    await client.send(`${request} HTTP/1.1\r\nhost: ${host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`)
    return Number((await client.closed).split(' ')[1])
  }
  for (const host of ['', 'a b', 'user@host', 'a"b', '[', '%', 'localhost:99999']) {
    for (const request of ['POST /', 'GET /?Action=GetCallerIdentity', 'POST /_ecru/gc?dryRun=true'])
      expect(await statusOf(request, host)).toBe(400)
    for (const request of ['GET /_ecru/health', 'GET /v2/']) expect(await statusOf(request, host)).toBe(200)
  }
  expect(await statusOf('POST /', 'localhost')).toBe(200)
  await server.close(1000)
})
