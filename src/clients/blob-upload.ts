import type { Digest } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import { upstreamUnavailable, upstreamWrong } from '../domain/upstream-errors.ts'
import type { Answer, Exchange } from './exchange.ts'
import { type RetrySettings, retried, waitBefore } from './retry.ts'

/** Where a blob's bytes come from, as often as they are needed. */
export interface BlobSource {
  readonly sizeBytes: number
  /** The bytes from an offset to the end. A chunk is not touched any more once the next is asked for. */
  read(from: number): AsyncIterable<Uint8Array>
}

/** Where an upload can be taken up by a later call. */
export interface UploadNotes {
  /** The other side's own name for the upload. */
  find(): Promise<string | undefined>
  keep(location: string): Promise<void>
  forget(): Promise<void>
}

/** How a blob is to get there. */
export interface BlobPush {
  /** A repository there that has it, so that nothing need be sent. */
  readonly mountFrom?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** By which a later call goes on where this one broke off. */
  readonly notes?: UploadNotes | undefined
}

export type AskForUpload = (target: string, request: Exchange, accepted: readonly number[]) => Promise<Answer>

interface Session {
  readonly location: string
  readonly offset: number
}

/** What goes in one request of its own: small enough to be sent again. */
const MONOLITHIC_BYTES_MAX = 1024 * 1024

/** A blob on its way to another registry: one stream, taken up where the other side has lost it. */
export class BlobUpload {
  readonly #ask: AskForUpload
  readonly #uploads: string
  readonly #settings: RetrySettings

  constructor(ask: AskForUpload, uploads: string, settings: RetrySettings) {
    this.#ask = ask
    this.#uploads = uploads
    this.#settings = settings
  }

  async run(
    digest: Digest,
    source: BlobSource,
    { mountFrom, signal, notes }: BlobPush,
  ): Promise<'mounted' | 'uploaded'> {
    // What goes in one request has nothing to be taken up.
    const kept = source.sizeBytes > MONOLITHIC_BYTES_MAX ? notes : undefined
    const begin = async (from: string | undefined) => {
      const begun = await this.#start(digest, from)
      if (begun !== undefined) await kept?.keep(begun.location)
      return begun
    }
    let session = await retried(
      async () => (await this.#takeUp(await kept?.find(), source)) ?? (await begin(mountFrom)),
      this.#settings,
      signal,
    )
    if (session === undefined) return 'mounted'
    for (let attempt = 1; ; attempt++) {
      const { offset } = session
      try {
        await this.#transfer(session, digest, source)
        await kept?.forget()
        return 'uploaded'
      } catch (error) {
        // A session that is gone is begun anew; what else is refused stays refused.
        const isGone = isRegistryError(error, 'upstream-not-found')
        const judged = isGone ? upstreamUnavailable('The other side has forgotten the upload', { cause: error }) : error
        const waitMs = signal?.aborted === true ? undefined : waitBefore(attempt, judged, this.#settings)
        if (waitMs === undefined) {
          // Whatever lies there is not what was sent, or is wanted no more.
          if (isRegistryError(error, 'upstream-wrong', 'upstream-not-found')) await kept?.forget()
          throw error
        }
        await this.#settings.pause(waitMs, signal)
        session = isGone ? undefined : await this.#status(session)
        if (session === undefined || session.offset > source.sizeBytes) session = await begin(undefined)
        if (session === undefined) return 'mounted'
        if (session.offset > offset) attempt = 1
      }
    }
  }

  /** `undefined`: mounted. */
  async #start(digest: Digest, mountFrom: string | undefined): Promise<Session | undefined> {
    const query = mountFrom === undefined ? '' : `?mount=${digest}&from=${encodeURIComponent(mountFrom)}`
    const request: Exchange = { method: 'POST', headers: { 'content-length': '0' } }
    const answer = await this.#ask(`${this.#uploads}${query}`, request, [201, 202])
    answer.discard()
    return answer.status === 201 ? undefined : { location: locationOf(answer), offset: 0 }
  }

  /** `undefined`: there is nothing that could be taken up. */
  async #takeUp(location: string | undefined, { sizeBytes }: BlobSource): Promise<Session | undefined> {
    const session = location === undefined ? undefined : await this.#status({ location, offset: 0 })
    return session === undefined || session.offset > sizeBytes ? undefined : session
  }

  /** How far the other side has got; `undefined`: it does not know, or does not say. */
  async #status({ location }: Session): Promise<Session | undefined> {
    try {
      const answer = await this.#ask(location, { method: 'GET' }, [200, 204])
      answer.discard()
      const last = /^(?:bytes=)?0-(\d+)$/.exec(answer.header('range') ?? '')?.[1]
      // 0-0 stands for nothing and for one byte; from the beginning is right for both.
      const offset = last === undefined || last === '0' ? 0 : Number(last) + 1
      return offset === 0
        ? undefined
        : { location: answer.header('location') === undefined ? location : locationOf(answer), offset }
    } catch (error) {
      if (isRegistryError(error, 'upstream-not-found', 'upstream-wrong')) return undefined
      throw error
    }
  }

  async #transfer({ location, offset }: Session, digest: Digest, source: BlobSource): Promise<void> {
    const rest = source.sizeBytes - offset
    const type = { 'content-type': 'application/octet-stream' }
    if (offset === 0 && rest <= MONOLITHIC_BYTES_MAX) {
      const body = await whole(source)
      const request: Exchange = { method: 'PUT', headers: type, body }
      return (await this.#ask(withDigest(location, digest), request, [201, 204])).discard()
    }
    let last = location
    if (rest > 0) {
      // A stream that begins at the beginning is no chunk (OCI, "pushing a blob in chunks").
      const range = offset === 0 ? {} : { 'content-range': `${offset}-${source.sizeBytes - 1}` }
      const headers = { ...type, ...range, 'content-length': String(rest) }
      const request: Exchange = { method: 'PATCH', headers, body: source.read(offset) }
      // ECR answers 201 here (observed), everybody else 202.
      const answer = await this.#ask(location, request, [200, 201, 202, 204])
      answer.discard()
      last = locationOf(answer)
    }
    const request: Exchange = { method: 'PUT', headers: { ...type, 'content-length': '0' } }
    const answer = await this.#ask(withDigest(last, digest), request, [201, 204])
    answer.discard()
  }
}

function locationOf(answer: Answer): string {
  const location = answer.header('location') ?? ''
  if (location === '' || !URL.canParse(location, answer.url.href))
    throw upstreamWrong(`${answer.url.host} names no upload`)
  const url = new URL(location, answer.url)
  if (answer.url.protocol === 'https:' && url.protocol !== 'https:')
    throw upstreamWrong(`${answer.url.host} names an upload without TLS`)
  return url.href
}

function withDigest(location: string, digest: Digest): string {
  // The rest is the other side's own text, and stays as it is.
  return `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(digest)}`
}

async function whole(source: BlobSource): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source.read(0)) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks)
}
