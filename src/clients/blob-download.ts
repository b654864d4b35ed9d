import { type Digest, digestAlgorithm } from '../domain/digest.ts'
import { upstreamUnavailable, upstreamWrong } from '../domain/upstream-errors.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import type { Answer } from './exchange.ts'
import { type RetrySettings, retried, waitBefore } from './retry.ts'

export type AskForBlob = (headers: Readonly<Record<string, string>>) => Promise<Answer>

export interface DownloadPlace {
  readonly from?: number | undefined
  readonly hash?: RunningHash | undefined
  readonly sizeBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** A blob on its way here. To be read once; whoever does not read it discards it. */
export class BlobDownload {
  /** Of the whole blob, as far as it is known. */
  readonly sizeBytes: number | undefined
  readonly #ask: AskForBlob
  readonly #digest: Digest
  readonly #hash: RunningHash
  readonly #settings: RetrySettings
  readonly #signal: AbortSignal | undefined
  #answer: Answer | undefined
  #skipBytes: number

  private constructor(
    ask: AskForBlob,
    digest: Digest,
    hash: RunningHash,
    settings: RetrySettings,
    signal: AbortSignal | undefined,
    begun: Begun,
  ) {
    this.#ask = ask
    this.#digest = digest
    this.#hash = hash
    this.#settings = settings
    this.#signal = signal
    this.#answer = begun.answer
    this.#skipBytes = begun.skipBytes
    this.sizeBytes = begun.sizeBytes
  }

  /** Asks for it, again where that may help. */
  static async begin(
    ask: AskForBlob,
    digest: Digest,
    place: DownloadPlace,
    settings: RetrySettings,
  ): Promise<BlobDownload> {
    const { from = 0, hash = new RunningHash(digestAlgorithm(digest)), sizeBytes, signal } = place
    if (hash.sizeBytes !== from) throw new RangeError('The hash has seen other bytes than those before the beginning')
    const begun = await retried(() => begin(ask, from, sizeBytes), settings, signal)
    return new BlobDownload(ask, digest, hash, settings, signal, begun)
  }

  discard(): void {
    this.#answer?.discard()
    this.#answer = undefined
  }

  /** The bytes from the beginning that was asked for. Throws `upstream-wrong` before the last ones are handed out, when they are others. */
  async *bytes(): AsyncGenerator<Uint8Array, void, void> {
    let held: Uint8Array | undefined
    for await (const chunk of this.#resumed()) {
      if (held !== undefined) yield held
      held = chunk
    }
    if (this.sizeBytes !== undefined && this.#hash.sizeBytes !== this.sizeBytes)
      throw upstreamWrong(`The blob ${this.#digest} has ${this.#hash.sizeBytes} bytes instead of ${this.sizeBytes}`)
    if (this.#hash.digest() !== this.#digest) throw upstreamWrong(`The bytes are not those of ${this.#digest}`)
    if (held !== undefined) yield held
  }

  /** One connection after the other. Failures are counted anew whenever bytes have come. */
  async *#resumed(): AsyncGenerator<Uint8Array, void, void> {
    for (let attempt = 1; ; attempt++) {
      const before = this.#hash.sizeBytes
      try {
        yield* this.#received()
        return
      } catch (error) {
        if (this.#hash.sizeBytes > before) attempt = 1
        const waitMs = this.#signal?.aborted === true ? undefined : waitBefore(attempt, error, this.#settings)
        if (waitMs === undefined) throw error
        await this.#settings.pause(waitMs, this.#signal)
      }
    }
  }

  async *#received(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#answer === undefined) {
      const { answer, skipBytes } = await begin(this.#ask, this.#hash.sizeBytes, this.sizeBytes)
      this.#answer = answer
      this.#skipBytes = skipBytes
    }
    const answer = this.#answer
    this.#answer = undefined
    for await (const chunk of answer.body()) {
      const fresh = chunk.subarray(Math.min(this.#skipBytes, chunk.byteLength))
      this.#skipBytes -= chunk.byteLength - fresh.byteLength
      if (fresh.byteLength === 0) continue
      this.#hash.update(fresh)
      if (this.sizeBytes !== undefined && this.#hash.sizeBytes > this.sizeBytes)
        throw upstreamWrong(`The blob ${this.#digest} has more than ${this.sizeBytes} bytes`)
      yield fresh
    }
    if (this.sizeBytes !== undefined && this.#hash.sizeBytes < this.sizeBytes)
      throw upstreamUnavailable(`${answer.url.host} broke off its answer`)
  }
}

interface Begun {
  readonly answer: Answer
  /** Bytes that come again, from a registry that knows no ranges. */
  readonly skipBytes: number
  readonly sizeBytes: number | undefined
}

async function begin(ask: AskForBlob, from: number, expectedBytes: number | undefined): Promise<Begun> {
  if (from > 0 && from === expectedBytes) {
    // Nothing is missing: there is no range to ask for.
    return { answer: nothing, skipBytes: 0, sizeBytes: expectedBytes }
  }
  const answer = await ask(from > 0 ? { range: `bytes=${from}-` } : {})
  try {
    const isPart = answer.status === 206
    const range = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(answer.header('content-range') ?? '')
    if (isPart && Number(range?.[1] ?? Number.NaN) !== from)
      throw upstreamWrong(`${answer.url.host} answers another range than the one that was asked for`)
    const total = isPart ? range?.[2] : answer.header('content-length')
    const sizeBytes = total === undefined || total === '*' ? undefined : Number(total)
    if (sizeBytes !== undefined && expectedBytes !== undefined && sizeBytes !== expectedBytes)
      throw upstreamWrong(`${answer.url.host} has ${sizeBytes} bytes instead of ${expectedBytes}`)
    return { answer, skipBytes: isPart ? 0 : from, sizeBytes: expectedBytes ?? sizeBytes }
  } catch (error) {
    answer.discard()
    throw error
  }
}

const nothing: Answer = {
  status: 206,
  url: new URL('about:blank'),
  header: () => undefined,
  body: async function* () {},
  discard: () => undefined,
}
