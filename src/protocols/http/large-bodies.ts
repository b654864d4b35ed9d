import { throttled } from '../../domain/errors.ts'
import { contentLength, readBody } from './body.ts'
import { type Arrival, BodyRoom, type Patience } from './body-room.ts'
import type { RequestContext } from './context.ts'

/** Bodies up to this size are read at once: an ordinary question waits for nobody. */
const TINY_BYTES = 16 * 1024

/** Up to this size they have room of their own: that parts of layers are on their way must not hold up a manifest. */
const SMALL_BYTES = 256 * 1024

/** Enough for two parts of a layer, of 20 MiB and in base64, at a time. */
const TOTAL_BYTES = 64 * 1024 * 1024

/** A body that is read at most once, and not before it is asked for. */
export interface OwedBody {
  /** Throws `request-too-large`, `throttled` and `ClientGone`. */
  read(): Promise<Uint8Array>
  /** Frees the bytes, which nobody needs any more: the collector would let many such bodies gather first. */
  drop(): void
  /** To be called when nothing of the request is in memory any more. */
  release(): void
}

/**
 * Keeps bodies that must be in memory as a whole, JSON, forms and manifests, from filling it together: one that is not
 * tiny is read when there is room for it beside the others, and until then left on its way. Who would wait too long, or is
 * too slow for those who wait, is `throttled`.
 */
export class LargeBodies {
  readonly #small: BodyRoom
  readonly #large: BodyRoom

  /** The small ones share half as much again. */
  constructor(totalBytes = TOTAL_BYTES, patience?: Patience) {
    this.#small = new BodyRoom(Math.max(totalBytes / 2, SMALL_BYTES), patience)
    this.#large = new BodyRoom(totalBytes, patience)
  }

  of(request: Request, limitBytes: number, context: RequestContext): OwedBody {
    let bytes: Promise<Uint8Array> | undefined
    let giveBack = () => {}
    let drop = () => {}
    const read = async () => {
      // Without a promise it may have what is allowed; one that promises more is refused unread.
      const sizeBytes = contentLength(request) ?? limitBytes
      if (sizeBytes <= TINY_BYTES || sizeBytes > limitBytes) return await readBody(request, limitBytes, context)
      const room = sizeBytes > SMALL_BYTES ? this.#large : this.#small
      giveBack = await room.take(sizeBytes, context.signal)
      const whole = await readWatched(request, limitBytes, context, room)
      const { buffer, byteLength } = whole
      // One that shares its memory with others stays.
      if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength)
        drop = () => void (buffer.detached || buffer.transfer(0))
      return whole
    }
    return {
      read() {
        bytes ??= read()
        return bytes
      },
      drop: () => drop(),
      release: () => giveBack(),
    }
  }

  /** Reads the body and does some work with it, whose end gives the room back. Throws as both. */
  async use<T>(
    request: Request,
    limitBytes: number,
    context: RequestContext,
    work: (bytes: Uint8Array) => Promise<T>,
  ): Promise<T> {
    const body = this.of(request, limitBytes, context)
    try {
      return await work(await body.read())
    } finally {
      body.release()
    }
  }
}

/** Reads a body that has its room, until it is whole or gives up. */
function readWatched(
  request: Request,
  limitBytes: number,
  context: RequestContext,
  room: BodyRoom,
): Promise<Uint8Array> {
  const givenUp = new AbortController()
  const arrival: Arrival = {
    receivedBytes: 0,
    giveUp: () => givenUp.abort(throttled()),
  }
  return room.watch(arrival, () =>
    readBody(request, limitBytes, context, {
      signal: givenUp.signal,
      received: (bytes) => {
        arrival.receivedBytes += bytes
      },
    }),
  )
}
