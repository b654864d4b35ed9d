import type { Socket } from 'node:net'
import { upstreamUnavailable, upstreamWrong } from '../domain/upstream-errors.ts'
import { freeMemory } from '../lib/free-memory.ts'

const LINE_FEED = 10

/** What comes over a connection, taken by lines and by numbers of bytes, and no faster than that. */
export class ArrivingBytes {
  readonly #host: string
  readonly #parts: AsyncIterator<Uint8Array>
  /** What has come and was not taken: the end of `#came`. */
  #ahead: Uint8Array | undefined
  #came: Uint8Array | undefined
  #hasBegun = false

  constructor(socket: Socket, host: string) {
    this.#host = host
    this.#parts = (socket as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]()
  }

  /** A line without its end. Throws `upstream-wrong` when it is longer, `upstream-unavailable` when the connection ends in it, an error when nothing has come at all. */
  async line(bytesMax: number): Promise<string> {
    let begun = ''
    for (;;) {
      const part = await this.#next()
      if (part === undefined) throw this.#hasBegun ? this.brokenOff() : new Error('The connection was closed')
      this.#hasBegun = true
      const end = part.indexOf(LINE_FEED)
      begun += Buffer.from(end < 0 ? part : part.subarray(0, end)).toString('latin1')
      if (begun.length > bytesMax) throw upstreamWrong(`${this.#host} answers with a head that is too long`)
      if (end < 0) continue
      if (end + 1 < part.byteLength) this.#ahead = part.subarray(end + 1)
      return begun.endsWith('\r') ? begun.slice(0, -1) : begun
    }
  }

  /** So many bytes, or fewer when the connection ends before. Whoever gets a chunk may free its memory. */
  async *upTo(count: number): AsyncGenerator<Uint8Array, void, void> {
    for (let left = count; left > 0; ) {
      const part = await this.#next()
      if (part === undefined) return
      const wanted = part.subarray(0, left)
      left -= wanted.byteLength
      if (wanted.byteLength < part.byteLength) this.#ahead = part.subarray(wanted.byteLength)
      const came = this.#came
      if (came?.byteLength === wanted.byteLength) {
        yield came
        continue
      }
      // A piece of what came: were it not copied, nobody could free the whole.
      const copy = new Uint8Array(wanted)
      if (this.#ahead === undefined && came !== undefined) freeMemory(came)
      yield copy
    }
  }

  brokenOff() {
    return upstreamUnavailable(`${this.#host} broke off its answer`)
  }

  async #next(): Promise<Uint8Array | undefined> {
    const ahead = this.#ahead
    this.#ahead = undefined
    if (ahead !== undefined) return ahead
    const { done, value } = await this.#parts.next()
    this.#came = done === true ? undefined : value
    return this.#came
  }
}
