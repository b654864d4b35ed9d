import { createHash } from 'node:crypto'
import { type Digest, digestAlgorithm, parseDigest, tryParseDigest } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import { isObject } from '../domain/json-values.ts'
import { MANIFEST_BYTES_MAX, MEDIA_TYPE } from '../domain/manifest.ts'
import { upstreamWrong } from '../domain/upstream-errors.ts'
import type { Clock } from '../lib/clock.ts'
import type { RunningHash } from '../lib/hash-stream.ts'
import { BlobDownload } from './blob-download.ts'
import { type BlobPush, type BlobSource, BlobUpload } from './blob-upload.ts'
import { type Answer, type Exchange, type ExchangeSettings, exchange, exchangeAcross, readWhole } from './exchange.ts'
import { type LoginSource, RegistryAuth } from './registry-auth.ts'
import { failureOf } from './registry-failure.ts'
import { type RetrySettings, retried } from './retry.ts'

export interface RegistryClientSettings extends ExchangeSettings, RetrySettings {
  /** Sent with every request to the registry itself. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** What a registry says of a manifest without sending it. */
export interface ManifestHead {
  /** Absent where the registry does not say. */
  readonly digest: Digest | undefined
  readonly mediaType: string | undefined
}

export interface FetchedManifest {
  readonly bytes: Uint8Array
  /** Computed from the bytes. */
  readonly digest: Digest
  readonly mediaType: string | undefined
}

export interface BlobRequest {
  /** Where to begin; then `hash` has seen what comes before. */
  readonly from?: number | undefined
  readonly hash?: RunningHash | undefined
  /** How large the blob is, where that is known; anything else is wrong then. */
  readonly sizeBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface TagsPage {
  readonly tags: readonly string[]
  /** For the next call; absent on the last page. */
  readonly next: string | undefined
}

export interface RepositoriesPage {
  readonly repositories: readonly string[]
  /** For the next call; absent on the last page. */
  readonly next: string | undefined
}

/** All manifests that this registry takes itself. */
export const ACCEPTED_MANIFESTS: readonly string[] = Object.values(MEDIA_TYPE)

const PAGE_BYTES_MAX = 8 * 1024 * 1024
const REFERRERS_PAGES_MAX = 100

/**
 * Another registry, by OCI's distribution API. Answers the registry's challenges (anonymous, Basic, Bearer), follows
 * redirects without passing secrets on, tries again what may pass, believes no bytes but those of their digest.
 *
 * Every method throws `upstream-unavailable`, `upstream-denied`, `upstream-not-found`, `upstream-rate-limited` (with
 * `retryAfterMs`, where the other side says it) or `upstream-wrong`; whoever aborts by a signal gets its reason.
 */
export class RegistryClient {
  readonly #base: URL
  readonly #auth: RegistryAuth
  readonly #settings: RegistryClientSettings
  readonly #clock: Clock

  /** `base`: scheme and host, with a port where it is not the usual one. */
  constructor(base: URL, login: LoginSource, settings: RegistryClientSettings, clock: Clock) {
    this.#base = base
    this.#settings = settings
    this.#clock = clock
    this.#auth = new RegistryAuth(base, login, settings, clock)
  }

  get host(): string {
    return this.#base.host
  }

  /** Whether the registry is there and lets us in. */
  async ping(): Promise<void> {
    const answer = await this.#ask('/v2/', '', { method: 'GET' }, 'its API')
    answer.discard()
  }

  /** What a tag or digest is now. `accept`: the media types wanted, in order of preference. */
  async headManifest(repository: string, reference: string, accept = ACCEPTED_MANIFESTS): Promise<ManifestHead> {
    const headers = { accept: accept.join(', ') }
    const what = `the manifest ${repository}:${reference}`
    const answer = await this.#ask(
      manifestPath(repository, reference),
      pull(repository),
      { method: 'HEAD', headers },
      what,
    )
    answer.discard()
    const digest = tryParseDigest(answer.header('docker-content-digest') ?? '')
    return { digest, mediaType: answer.header('content-type') }
  }

  /** At most 4 MiB, whole and of the digest that was asked for. */
  async getManifest(repository: string, reference: string, accept = ACCEPTED_MANIFESTS): Promise<FetchedManifest> {
    const headers = { accept: accept.join(', ') }
    const what = `the manifest ${repository}:${reference}`
    return retried(async () => {
      const request: Exchange = { method: 'GET', headers }
      const answer = await this.#askOnce(manifestPath(repository, reference), pull(repository), request, what)
      const bytes = await readWhole(answer, MANIFEST_BYTES_MAX)
      const wanted = tryParseDigest(reference) ?? tryParseDigest(answer.header('docker-content-digest') ?? '')
      const digest = digestOf(bytes, wanted)
      if (wanted !== undefined && digest !== wanted)
        throw upstreamWrong(`${this.host} answers other bytes than those of ${wanted}`)
      return { bytes, digest, mediaType: answer.header('content-type') }
    }, this.#settings)
  }

  /** Stores a manifest under a tag or its digest (with tags as a query, where the other side knows that). Answers the headers of the answer. */
  async putManifest(
    repository: string,
    reference: string,
    bytes: Uint8Array,
    mediaType: string,
    signal?: AbortSignal,
  ): Promise<Answer['header']> {
    const request: Exchange = { method: 'PUT', headers: { 'content-type': mediaType }, body: bytes, signal }
    const what = `to take the manifest ${repository}:${reference}`
    const answer = await this.#ask(manifestPath(repository, reference), push(repository), request, what)
    answer.discard()
    return answer.header
  }

  /** Deletes a tag, or a manifest by its digest. Absent is fine. */
  async deleteManifest(repository: string, reference: string, signal?: AbortSignal): Promise<void> {
    const what = `to delete the manifest ${repository}:${reference}`
    try {
      const request: Exchange = { method: 'DELETE', signal }
      const answer = await this.#ask(
        manifestPath(repository, reference),
        `repository:${repository}:delete`,
        request,
        what,
      )
      answer.discard()
    } catch (error) {
      if (!isRegistryError(error, 'upstream-not-found')) throw error
    }
  }

  /** The size of a blob; `undefined`: the repository does not have it. */
  async findBlob(
    repository: string,
    digest: Digest,
    signal?: AbortSignal,
  ): Promise<{ readonly sizeBytes: number | undefined } | undefined> {
    try {
      const path = blobPath(repository, digest)
      const answer = await this.#ask(path, pull(repository), { method: 'HEAD', signal }, `the blob ${digest}`)
      answer.discard()
      const length = answer.header('content-length')
      return { sizeBytes: length === undefined ? undefined : Number(length) }
    } catch (error) {
      if (isRegistryError(error, 'upstream-not-found')) return undefined
      throw error
    }
  }

  /**
   * Begins a download. Its bytes come no faster than they are taken; a connection that breaks is taken up where it broke.
   * The last bytes are handed out only once the digest is right, so that whoever got all got the right ones.
   */
  async openBlob(repository: string, digest: Digest, request: BlobRequest = {}): Promise<BlobDownload> {
    const { signal } = request
    const ask = (headers: Readonly<Record<string, string>>) =>
      this.#askOnce(
        blobPath(repository, digest),
        pull(repository),
        { method: 'GET', headers, signal },
        `the blob ${digest}`,
        [200, 206],
      )
    return BlobDownload.begin(ask, digest, request, this.#settings)
  }

  /**
   * Brings a blob there unless it is there: mounted, where that is wanted and works, or uploaded from `source`, which is read
   * again from where the other side lost it. Answers how.
   */
  async pushBlob(
    repository: string,
    digest: Digest,
    source: BlobSource,
    how: BlobPush = {},
  ): Promise<'present' | 'mounted' | 'uploaded'> {
    const { mountFrom, signal, notes } = how
    if ((await this.findBlob(repository, digest, signal)) !== undefined) {
      await notes?.forget()
      return 'present'
    }
    const scope = mountFrom === undefined ? push(repository) : `${push(repository)} ${pull(mountFrom)}`
    const ask = (target: string, request: Exchange, accepted: readonly number[]) =>
      this.#askOnce(target, scope, { ...request, signal }, `to take the blob ${digest}`, accepted)
    return new BlobUpload(ask, `/v2/${repository}/blobs/uploads/`, this.#settings).run(digest, source, {
      ...how,
      notes: notes && { ...notes, find: async () => this.#ownOnly(await notes.find()) },
    })
  }

  /** What was noted of another address leads nowhere now. */
  #ownOnly(location: string | undefined): string | undefined {
    return location?.startsWith(`${this.#base.origin}/`) === true ? location : undefined
  }

  /** One page of tags, in the registry's own order. */
  async listTags(repository: string, next?: string, pageSize = 1000): Promise<TagsPage> {
    const path = next ?? `/v2/${repository}/tags/list?n=${pageSize}`
    const answer = await this.#ask(path, pull(repository), { method: 'GET' }, `the tags of ${repository}`)
    const { tags } = await this.#readJson(answer)
    if (tags !== null && tags !== undefined && !Array.isArray(tags))
      throw upstreamWrong(`${this.host} answers no list of tags`)
    const texts = ((tags ?? []) as readonly unknown[]).filter((tag): tag is string => typeof tag === 'string')
    return { tags: texts, next: this.#nextPage(answer) }
  }

  /** One page of the repositories that we may see. Not every registry answers that. */
  async listRepositories(next?: string, pageSize = 1000): Promise<RepositoriesPage> {
    const path = next ?? `/v2/_catalog?n=${pageSize}`
    const answer = await this.#ask(path, CATALOG, { method: 'GET' }, 'its list of repositories')
    const { repositories } = await this.#readJson(answer)
    if (!Array.isArray(repositories)) throw upstreamWrong(`${this.host} answers no list of repositories`)
    const names = (repositories as readonly unknown[]).filter((name): name is string => typeof name === 'string')
    return { repositories: names, next: this.#nextPage(answer) }
  }

  /**
   * The descriptors of what refers to a manifest, of every page; empty where there are none. A registry that does not know
   * referrers may keep them in an index, under a tag that is made of the digest (OCI distribution, referrers tag schema).
   */
  async listReferrers(
    repository: string,
    digest: Digest,
    artifactType?: string,
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const found: Readonly<Record<string, unknown>>[] = []
    const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
    let path: string | undefined = `/v2/${repository}/referrers/${digest}${query}`
    for (let page = 0; path !== undefined && page < REFERRERS_PAGES_MAX; page++) {
      const headers = { accept: MEDIA_TYPE.ociIndex }
      const request: Exchange = { method: 'GET', headers }
      const asked: Promise<Answer> = this.#ask(path, pull(repository), request, 'referrers')
      const answer = await asked.catch((error: unknown) => {
        if (isRegistryError(error, 'upstream-not-found', 'upstream-wrong')) return undefined
        throw error
      })
      const { manifests } =
        answer === undefined ? await this.#referrersTag(repository, digest) : await this.#readJson(answer)
      if (!Array.isArray(manifests)) throw upstreamWrong(`${this.host} answers no list of referrers`)
      for (const one of manifests as readonly unknown[])
        if (isObject(one) && (artifactType === undefined || one.artifactType === artifactType)) found.push(one)
      path = answer === undefined ? undefined : this.#nextPage(answer)
    }
    return found
  }

  async #referrersTag(repository: string, digest: Digest): Promise<Readonly<Record<string, unknown>>> {
    try {
      const { bytes } = await this.getManifest(repository, digest.replace(':', '-'), [MEDIA_TYPE.ociIndex])
      const index: unknown = JSON.parse(new TextDecoder().decode(bytes))
      return isObject(index) && Array.isArray(index.manifests) ? index : { manifests: [] }
    } catch (error) {
      if (error instanceof SyntaxError || isRegistryError(error, 'upstream-not-found', 'upstream-wrong'))
        return { manifests: [] }
      throw error
    }
  }

  /** With retries; the whole request is repeated, so it must be one that may be. */
  async #ask(target: string, scope: string, request: Exchange, what: string): Promise<Answer> {
    return retried(() => this.#askOnce(target, scope, request, what), this.#settings, request.signal)
  }

  /** One answer that is a success (or one of `accepted`), authorised as the registry asks for it. */
  async #askOnce(
    target: string,
    scope: string,
    request: Exchange,
    what: string,
    accepted?: readonly number[],
  ): Promise<Answer> {
    const url = new URL(target, this.#base)
    // Where uploads go may be another host, which has no claim to what is secret.
    const isOwn = url.origin === this.#base.origin
    let sent = isOwn ? await this.#auth.header(scope) : undefined
    let answer = await this.#send(url, request, sent)
    if (answer.status === 401 && isOwn && isRepeatable(request)) {
      answer.discard()
      const better = await this.#auth.answerTo(answer, scope, sent)
      if (better !== undefined) answer = await this.#send(url, request, better)
      sent = better ?? sent
    }
    if ((answer.status === 403 || answer.status === 400) && sent !== undefined && isRepeatable(request)) {
      const better = (await this.#isPasswordOver(sent)) ? await this.#auth.renewed(sent) : undefined
      if (better !== undefined) {
        answer.discard()
        answer = await this.#send(url, request, better)
      }
    }
    const isFine = accepted?.includes(answer.status) ?? (answer.status >= 200 && answer.status < 300)
    if (isFine) return answer
    answer.discard()
    throw failureOf(answer, what, this.#clock.now())
  }

  /** ECR's passwords run out. It refuses one that has, or that it no longer knows, whatever is asked for. */
  async #isPasswordOver(authorization: string): Promise<boolean> {
    if (!this.#auth.isBasic) return false
    const { status, discard } = await this.#send(new URL('/v2/', this.#base), { method: 'GET' }, authorization)
    discard()
    return status === 403 || status === 400 || status === 401
  }

  async #send(url: URL, request: Exchange, authorization: string | undefined): Promise<Answer> {
    const secret = authorization === undefined ? {} : { authorization }
    // Packed on the way, bytes would be others than those of the digest.
    const own = url.origin === this.#base.origin ? this.#settings.headers : {}
    const headers = { 'accept-encoding': 'identity', 'user-agent': 'ecru', ...own, ...request.headers, ...secret }
    const isReading = request.method === 'GET' || request.method === 'HEAD'
    return (isReading ? exchangeAcross : exchange)(url, { ...request, headers }, this.#settings)
  }

  async #readJson(answer: Answer): Promise<Readonly<Record<string, unknown>>> {
    const bytes = await readWhole(answer, PAGE_BYTES_MAX)
    try {
      const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
      if (isObject(value)) return value
    } catch (cause) {
      throw upstreamWrong(`${this.host} answers no JSON`, { cause })
    }
    throw upstreamWrong(`${this.host} answers no JSON object`)
  }

  /** Path and query of `Link: <…>; rel="next"`; only on the registry itself. */
  #nextPage(answer: Answer): string | undefined {
    const link = /<([^>]+)>\s*;\s*rel="?next"?/i.exec(answer.header('link') ?? '')?.[1]
    if (link === undefined || !URL.canParse(link, answer.url.href)) return undefined
    const url = new URL(link, answer.url)
    return url.host === this.#base.host ? `${url.pathname}${url.search}` : undefined
  }
}

const CATALOG = 'registry:catalog:*'
const pull = (repository: string) => `repository:${repository}:pull`
const push = (repository: string) => `repository:${repository}:pull,push`
const manifestPath = (repository: string, reference: string) => `/v2/${repository}/manifests/${reference}`
const blobPath = (repository: string, digest: Digest) => `/v2/${repository}/blobs/${digest}`

/** A stream that has been read cannot be sent again. */
const isRepeatable = ({ body }: Exchange): boolean => body === undefined || body instanceof Uint8Array

function digestOf(bytes: Uint8Array, wanted: Digest | undefined): Digest {
  const algorithm = wanted === undefined ? 'sha256' : digestAlgorithm(wanted)
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`)
}
