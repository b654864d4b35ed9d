import { expect, test } from 'bun:test'
import { isRegistryError } from '../../../src/domain/errors.ts'
import { ClientGone, readBody, uploadBody } from '../../../src/protocols/http/body.ts'
import { detachedContext } from '../../../src/protocols/http/context.ts'

/** A body without a promised length, in the given chunks. */
function chunked(...chunks: readonly string[]): Request {
  const bytes = chunks.map((chunk) => new TextEncoder().encode(chunk))
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const next = bytes.shift()
      if (next === undefined) controller.close()
      else controller.enqueue(next)
    },
  })
  return new Request('http://localhost/', { method: 'POST', body })
}

function promising(length: string, body: string): Request {
  return new Request('http://localhost/', { method: 'POST', body, headers: { 'content-length': length } })
}

/** A body that fails after its first chunk, as a socket does when the client leaves. */
function breaking(): Request {
  let wasAsked = false
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      if (wasAsked) controller.error(new DOMException('The connection was closed.', 'AbortError'))
      else controller.enqueue(new TextEncoder().encode('first'))
      wasAsked = true
    },
  })
  return new Request('http://localhost/', { method: 'PUT', body })
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (failure: unknown) => failure,
  )
}

test('a body of exactly the limit is read, promised or not', async () => {
  expect(text(await readBody(promising('5', 'hello'), 5, detachedContext()))).toBe('hello')
  expect(text(await readBody(chunked('he', 'llo'), 5, detachedContext()))).toBe('hello')
})

test('no body is an empty one', async () => {
  const request = new Request('http://localhost/', { method: 'POST' })
  expect(await readBody(request, 5, detachedContext())).toHaveLength(0)
})

test('a promise above the limit is refused before anything is read', async () => {
  const request = promising('6', 'sixsix')
  expect(isRegistryError(await failureOf(readBody(request, 5, detachedContext())), 'request-too-large')).toBeTrue()
  expect(request.bodyUsed).toBeFalse()
})

test('without a promise, the first byte too many is refused', async () => {
  const failure = await failureOf(readBody(chunked('hell', 'oo', 'never read'), 5, detachedContext()))
  expect(isRegistryError(failure, 'request-too-large')).toBeTrue()
})

test('a client that leaves is told apart from every other failure', async () => {
  expect(await failureOf(readBody(breaking(), 100, detachedContext()))).toBeInstanceOf(ClientGone)
})

test('an upload hands over what came before the client left', async () => {
  const received: string[] = []
  const reading = (async () => {
    for await (const chunk of uploadBody(breaking(), detachedContext())) received.push(text(chunk))
  })()
  expect(await failureOf(reading)).toBeInstanceOf(ClientGone)
  expect(received).toEqual(['first'])
})

test('an upload waits for the client only while it asks for bytes, and counts each chunk as progress', async () => {
  let progressed = 0
  const context = detachedContext({ keepAlive: () => progressed++ })
  for await (const _chunk of uploadBody(chunked('a', 'b'), context)) expect(context.isAwaitingClient).toBeFalse()
  expect(context.isAwaitingClient).toBeFalse()
  expect(progressed).toBeGreaterThanOrEqual(2)
})

test('leaving the loop early drops the rest', async () => {
  let wasCancelled = false
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new Uint8Array(10)),
    cancel: () => {
      wasCancelled = true
    },
  })
  const request = new Request('http://localhost/', { method: 'PUT', body })
  for await (const _chunk of uploadBody(request, detachedContext())) break
  expect(wasCancelled).toBeTrue()
})
