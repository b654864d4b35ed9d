import { Budget } from '../../lib/budget.ts'
import { ClientGone, contentLength, readBody } from './body.ts'
import type { RequestContext } from './context.ts'

/** Bodies up to this size are read at once: that a part of a layer is on its way must not hold up a small question. */
const SMALL_BYTES = 256 * 1024

/** Enough for two parts of a layer, of 20 MiB and in base64, at a time. */
const TOTAL_BYTES = 64 * 1024 * 1024

/** A body that is read at most once, and not before it is asked for. */
export interface OwedBody {
  /** Throws `request-too-large` and `ClientGone`. */
  read(): Promise<Uint8Array>
  /** Frees the bytes, which nobody needs any more: the collector would let many such bodies gather first. */
  drop(): void
  /** To be called when nothing of the request is in memory any more. */
  release(): void
}

/**
 * Keeps bodies that must be in memory as a whole, JSON and manifests, from filling it together: a large one is read when
 * there is room for it beside the others, and until then left on its way. Nobody is refused for want of room.
 */
export class LargeBodies {
  readonly #room: Budget

  constructor(totalBytes = TOTAL_BYTES) {
    this.#room = new Budget(totalBytes)
  }

  of(request: Request, limitBytes: number, context: RequestContext): OwedBody {
    let bytes: Promise<Uint8Array> | undefined
    let giveBack = () => {}
    let drop = () => {}
    const read = async () => {
      // Without a promise it may have what is allowed; one that promises more is refused unread.
      const sizeBytes = contentLength(request) ?? limitBytes
      if (sizeBytes > SMALL_BYTES && sizeBytes <= limitBytes) giveBack = await this.#take(sizeBytes, context)
      const whole = await readBody(request, limitBytes, context)
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

  async #take(sizeBytes: number, { signal }: RequestContext): Promise<() => void> {
    try {
      return await this.#room.take(sizeBytes, signal)
    } catch (failure) {
      throw new ClientGone(failure)
    }
  }
}
