import { requestTooLarge } from '../../domain/errors.ts'
import type { RequestContext } from './context.ts'

/**
 * The client went away, or stalled for longer than the idle timeout, before its body was whole. Not an error of the
 * registry: nobody is left to read an answer, and the access log shows status 499.
 */
export class ClientGone extends Error {
  override readonly name = 'ClientGone'

  constructor(cause: unknown) {
    super('The client closed the connection before its request was complete', { cause })
  }
}

/**
 * A whole body of at most `limitBytes`, for JSON and manifests. A promised length that is too large is refused before
 * anything is read; without a promise, at the first byte too many. Throws `request-too-large` and `ClientGone`.
 */
export async function readBody(request: Request, limitBytes: number, context: RequestContext): Promise<Uint8Array> {
  const promisedBytes = contentLength(request)
  if (promisedBytes !== undefined) {
    if (promisedBytes > limitBytes) throw requestTooLarge(limitBytes)
    return await readWhole(request, context)
  }
  const chunks: Uint8Array[] = []
  let sizeBytes = 0
  for await (const chunk of uploadBody(request, context)) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > limitBytes) throw requestTooLarge(limitBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks, sizeBytes)
}

/**
 * A body of any size, chunk by chunk, no faster than it is consumed. Leaving the loop early drops the rest of the
 * body. Throws `ClientGone` when the client does not finish.
 */
export async function* uploadBody(request: Request, context: RequestContext): AsyncGenerator<Uint8Array, void, void> {
  if (request.body === null) return
  const chunks: AsyncIterator<Uint8Array> = request.body[Symbol.asyncIterator]()
  let isOver = false
  try {
    while (true) {
      const next = await nextChunk(chunks, context)
      if (next.done === true) {
        isOver = true
        return
      }
      yield next.value
    }
  } finally {
    // After a failure there is nothing left to cancel, and the failure is what the caller must see.
    if (!isOver) await chunks.return?.().catch(() => {})
  }
}

/** The length that the request promises, when it promises one. */
export function contentLength(request: Request): number | undefined {
  const text = request.headers.get('content-length')
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}

async function nextChunk(chunks: AsyncIterator<Uint8Array>, context: RequestContext) {
  context.isAwaitingClient = true
  try {
    const next = await chunks.next()
    if (next.done !== true) context.receivedBytes += next.value.byteLength
    return next
  } catch (failure) {
    throw new ClientGone(failure)
  } finally {
    context.isAwaitingClient = false
    context.keepAlive()
  }
}

async function readWhole(request: Request, context: RequestContext): Promise<Uint8Array> {
  context.isAwaitingClient = true
  try {
    const body = await request.bytes()
    context.receivedBytes += body.byteLength
    return body
  } catch (failure) {
    throw new ClientGone(failure)
  } finally {
    context.isAwaitingClient = false
  }
}
