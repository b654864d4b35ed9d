import { afterEach, expect, test } from 'bun:test'
import { connect } from 'node:tls'
import { type HttpServer, ListenError, startHttpServer } from '../../../src/protocols/http/server.ts'
import type { Certificates, ServedCertificate } from '../../../src/tls/certificates.ts'
import { openOwnAuthority } from '../../../src/tls/own-authority.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { memoryLogger } from './memory-logger.ts'

const running: HttpServer[] = []
afterEach(async () => {
  for (const server of running.splice(0)) await server.close(0)
})

const clock = new FakeClock(new Date().toISOString())

async function certificateFor(...hosts: string[]): Promise<{ served: ServedCertificate; authority: string }> {
  const { current, authority = '' } = await openOwnAuthority(undefined, hosts, clock)
  const [served] = current()
  if (served === undefined) throw new Error('no certificate')
  return { served, authority }
}

function fixed(served: readonly ServedCertificate[]): Certificates {
  return { current: () => served, watch: () => {}, authority: undefined, close: () => {} }
}

function listen(tls: Certificates, port = 0): HttpServer {
  const options = { host: '127.0.0.1', port, tls, idleTimeoutMs: 60_000, logger: memoryLogger() }
  const server = startHttpServer(options, async (_request, { isSecure }) => Response.json({ isSecure }))
  running.push(server)
  return server
}

/** The names in the certificate that a client sees who asks for `host`. */
async function shownTo(port: number, host: string): Promise<string | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
  const socket = connect({ port, host: '127.0.0.1', servername: host, rejectUnauthorized: false }, () => {
    resolve(socket.getPeerCertificate().subjectaltname)
    socket.end()
  })
  socket.on('error', reject)
  return promise
}

test('with a certificate the port speaks HTTPS', async () => {
  const { served, authority } = await certificateFor('127.0.0.1')
  const server = listen(fixed([served]))
  expect(server.url).toStartWith('https://')
  const response = await fetch(server.url, { tls: { ca: authority } })
  expect(await response.json()).toEqual({ isSecure: true })
})

test('of several certificates a client sees the one for the host it asks for, otherwise the first', async () => {
  const [a, b] = [await certificateFor('a.example'), await certificateFor('b.example', '*.b.example')]
  const { port } = listen(fixed([a.served, b.served]))
  expect(await shownTo(port, 'a.example')).toBe('DNS:a.example')
  expect(await shownTo(port, 'b.example')).toBe('DNS:b.example, DNS:*.b.example')
  expect(await shownTo(port, 'x.b.example')).toBe('DNS:b.example, DNS:*.b.example')
  expect(await shownTo(port, 'nobody.example')).toBe('DNS:a.example')
})

test('renewed certificates are shown from then on, and requests that are under way end well', async () => {
  let served = [(await certificateFor('old.example', '127.0.0.1')).served]
  const tls = { ...fixed([]), current: () => served }
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>()
  const { promise: arrived, resolve: arrive } = Promise.withResolvers<void>()
  const options = { host: '127.0.0.1', port: 0, tls, idleTimeoutMs: 60_000, logger: memoryLogger() }
  const server = startHttpServer(options, async ({ url }) => {
    if (!url.endsWith('/slow')) return new Response('fast')
    arrive()
    await answered
    return new Response('slow')
  })
  running.push(server)
  const trusting = { tls: { rejectUnauthorized: false }, keepalive: false }
  const slow = fetch(`${server.url}/slow`, trusting).then((response) => response.text())
  await arrived
  served = [(await certificateFor('new.example')).served]
  server.renewCertificates()
  expect(await shownTo(server.port, 'any.example')).toBe('DNS:new.example')
  answer()
  expect(await slow).toBe('slow')
  expect(await server.close(1000)).toBe(0)
  await expect(shownTo(server.port, 'any.example')).rejects.toThrow()
})

test('a port in use is explained, though servers of new certificates join the old ones', async () => {
  const { served } = await certificateFor('a.example')
  const { port } = listen(fixed([served]))
  expect(() => listen(fixed([served]), port)).toThrow(ListenError)
})
