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

/** Whoever wants to know how a body comes in, and to end that. */
export interface BodyWatch {
  /** Aborted with the error that ends the reading. */
  readonly signal: AbortSignal
  received(bytes: number): void
}

/**
 * A whole body of at most `limitBytes`, for JSON and manifests. A promised length that is too large is refused before
 * anything is read; without a promise, at the first byte too many. Throws `request-too-large`, `ClientGone`, and the reason
 * of the watch's signal.
 */
export async function readBody(
  request: Request,
  limitBytes: number,
  context: RequestContext,
  watch?: BodyWatch,
): Promise<Uint8Array> {
  const promisedBytes = contentLength(request)
  if (promisedBytes !== undefined) {
    if (promisedBytes > limitBytes) throw requestTooLarge(limitBytes)
    if (watch === undefined) return await readWhole(request, context)
  }
  const pieces = new Pieces(promisedBytes)
  const mostBytes = promisedBytes ?? limitBytes
  for await (const chunk of uploadBody(request, context, watch)) {
    if (pieces.sizeBytes + chunk.byteLength > mostBytes) throw requestTooLarge(limitBytes)
    pieces.add(chunk)
  }
  return pieces.whole()
}

/**
 * A body of any size, chunk by chunk, no faster than it is consumed. Leaving the loop early drops the rest of the
 * body. Throws `ClientGone` when the client does not finish, and the reason of the watch's signal.
 */
export async function* uploadBody(
  request: Request,
  context: RequestContext,
  watch?: BodyWatch,
): AsyncGenerator<Uint8Array, void, void> {
  if (request.body === null) return
  const chunks = request.body.getReader()
  let isOver = false
  // A read that waits for the client is over then, too.
  const stop = () => void chunks.cancel().catch(() => {})
  watch?.signal.addEventListener('abort', stop, { once: true })
  try {
    while (true) {
      const next = await nextChunk(chunks, context)
      watch?.signal.throwIfAborted()
      if (next.done === true) {
        isOver = true
        return
      }
      watch?.received(next.value.byteLength)
      yield next.value
    }
  } finally {
    watch?.signal.removeEventListener('abort', stop)
    // After a failure there is nothing left to cancel, and the failure is what the caller must see.
    if (!isOver) await chunks.cancel().catch(() => {})
  }
}

/** The pieces of a body as one: straight into their place when it is known how much will come. */
class Pieces {
  readonly #place: Uint8Array | undefined
  readonly #chunks: Uint8Array[] = []
  sizeBytes = 0

  constructor(promisedBytes: number | undefined) {
    this.#place = promisedBytes === undefined ? undefined : new Uint8Array(promisedBytes)
  }

  add(chunk: Uint8Array): void {
    if (this.#place === undefined) this.#chunks.push(chunk)
    else this.#place.set(chunk, this.sizeBytes)
    this.sizeBytes += chunk.byteLength
  }

  whole(): Uint8Array {
    return this.#place?.subarray(0, this.sizeBytes) ?? Buffer.concat(this.#chunks, this.sizeBytes)
  }
}

/** The length that the request promises, when it promises one. */
export function contentLength(request: Request): number | undefined {
  const text = request.headers.get('content-length')
  return text !== null && /^[0-9]{1,15}$/.test(text) ? Number(text) : undefined
}

async function nextChunk(chunks: Pick<ReadableStreamDefaultReader<Uint8Array>, 'read'>, context: RequestContext) {
  context.isAwaitingClient = true
  try {
    const next = await chunks.read()
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
