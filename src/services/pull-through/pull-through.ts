import { type Digest, tryParseDigest } from '../../domain/digest.ts'
import { isRegistryError } from '../../domain/errors.ts'
import type { Image, ImageReference } from '../../domain/image.ts'
import { isActiveAt } from '../../domain/image-status.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { type PullThroughRule, upstreamName } from '../../domain/pull-through.ts'
import { upstreamReferrersUnavailable } from '../../domain/pull-through-errors.ts'
import type { Repository } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import { writtenStream } from '../../lib/written-stream.ts'
import type { BlobBody, ByteRange } from '../../stores/blobs.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { PushTargets } from '../repositories/push-targets.ts'
import type { BlobFlight } from './blob-flight.ts'
import type { BlobFlights } from './blob-flights.ts'
import type { ImageImports } from './image-imports.ts'
import type { PullThroughCounts } from './pull-through-counts.ts'
import type { PullThroughRules } from './pull-through-rules.ts'
import type { UpstreamManifest, Upstreams } from './upstreams.ts'

/** For how long an image is served without asking the upstream what its tag is now. */
const FRESH_MS = 24 * 60 * 60_000
/** The same for a list of referrers. */
const REFERRERS_FRESH_MS = 6 * 60 * 60_000
/** An upstream that failed is not asked about the same thing again sooner. */
const REST_MS = 60_000
const RESTS_MAX = 10_000
const REFERRERS_MAX = 200

export interface PullWish {
  /** Asks the upstream whatever was asked before (a client says `Cache-Control: no-cache`). */
  readonly isRefreshWanted?: boolean
}

/** A layer that comes from an upstream while it is read. */
export interface ComingBlob {
  readonly blob: { readonly digest: Digest; readonly sizeBytes: number }
  read(range?: ByteRange): Promise<BlobBody>
}

/** What pulls through a cache go through. */
export interface PullThroughParts {
  readonly metadata: MetadataStore
  readonly access: Access
  readonly rules: PullThroughRules
  readonly upstreams: Upstreams
  readonly imports: ImageImports
  readonly flights: BlobFlights
  readonly targets: PushTargets
  readonly clock: Clock
  readonly counts: PullThroughCounts
}

/** Pulls of repositories under a pull-through cache rule: what is missing or old comes from the upstream. */
export class PullThrough {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #rules: PullThroughRules
  readonly #upstreams: Upstreams
  readonly #imports: ImageImports
  readonly #flights: BlobFlights
  readonly #targets: PushTargets
  readonly #clock: Clock
  readonly #counts: PullThroughCounts
  readonly #underWay = new Map<string, Promise<UpstreamManifest | undefined>>()
  readonly #restUntilMs = new Map<string, number>()

  constructor(parts: PullThroughParts) {
    this.#metadata = parts.metadata
    this.#access = parts.access
    this.#rules = parts.rules
    this.#upstreams = parts.upstreams
    this.#imports = parts.imports
    this.#flights = parts.flights
    this.#targets = parts.targets
    this.#clock = parts.clock
    this.#counts = parts.counts
  }

  /**
   * The manifest that a pull is to be answered with, while its image is on its way here; `undefined`: what is here decides,
   * an error included. An upstream that fails is no failure of what is here. Throws the codes `upstream-…` otherwise.
   */
  async find(
    principal: Principal,
    ref: RepositoryRef,
    reference: ImageReference,
    wish: PullWish = {},
  ): Promise<UpstreamManifest | undefined> {
    const rule = await this.#rules.find(ref)
    if (rule === undefined) return undefined
    const resolved = await this.#metadata.view.images.resolve(ref, reference)
    const image = resolved?.found?.image
    if (resolved !== undefined && image !== undefined) {
      const age = await this.#ageOf(resolved.repository, image, reference, wish)
      if (age !== 'old') {
        this.#counts.answered(rule, age === 'fresh' ? 'hit' : 'stale')
        return undefined
      }
    }
    if (!(await this.#mayImport(principal, ref, reference))) return undefined
    if (resolved === undefined && !(await this.#access.permits(principal, 'ecr:CreateRepository', ref)))
      return undefined
    const underWay = this.#imports.find(ref, reference)
    if (underWay !== undefined && wish.isRefreshWanted !== true) {
      this.#counts.answered(rule, 'miss')
      return underWay.manifest
    }
    const plan = { rule, ref, reference }
    try {
      const coming = await this.#once(keyOf(ref, reference), async () =>
        resolved === undefined || image === undefined
          ? this.#fetch(principal, rule, ref, reference)
          : this.#compare(rule, ref, resolved.repository, image, reference),
      )
      this.#counts.answered(rule, coming === undefined ? 'hit' : 'miss')
      return coming
    } catch (thrown) {
      if (!isUpstreamFailure(thrown)) throw thrown
      this.#counts.answered(rule, image === undefined ? 'failed' : 'stale')
      if (image !== undefined) {
        this.#rest(keyOf(ref, reference))
        return undefined
      }
      if (isRegistryError(thrown, 'upstream-not-found')) return undefined
      await this.#imports.tellFailure(plan, thrown)
      throw thrown
    }
  }

  /** The same for an API that answers with what is here: waits until the image is. Throws the codes `upstream-…`, and what is in the way of storing it. */
  async bring(principal: Principal, ref: RepositoryRef, reference: ImageReference): Promise<void> {
    if ((await this.find(principal, ref, reference)) === undefined) return
    await this.#imports.find(ref, reference)?.done
  }

  /** The same for several, each failing alone: answers why those failed that the upstream is to blame for. */
  async bringMany(
    principal: Principal,
    ref: RepositoryRef,
    references: readonly ImageReference[],
  ): Promise<ReadonlyMap<ImageReference, unknown>> {
    const failures = new Map<ImageReference, unknown>()
    if ((await this.#rules.find(ref)) === undefined) return failures
    for (const reference of references)
      await this.bring(principal, ref, reference).catch((thrown: unknown) => {
        if (!isRegistryError(thrown)) throw thrown
        failures.set(reference, thrown)
      })
    return failures
  }

  /** A layer that is not here and that the upstream has; `undefined` when there is none, or the puller may not have it brought. */
  async openBlob(principal: Principal, ref: RepositoryRef, digest: Digest): Promise<ComingBlob | undefined> {
    const flight = await this.#flightOf(principal, ref, digest)
    if (flight === undefined) return undefined
    try {
      await flight.begun
      const sizeBytes = flight.sizeBytes ?? (await flight.landed)
      return {
        blob: { digest, sizeBytes },
        read: async (range = { first: 0, last: sizeBytes - 1 }) => writtenStream(flight.read(range)),
      }
    } catch (thrown) {
      if (isRegistryError(thrown, 'upstream-not-found')) return undefined
      throw thrown
    }
  }

  /** The same for whoever only asks how large it is: nothing is brought. */
  async statBlob(
    principal: Principal,
    ref: RepositoryRef,
    digest: Digest,
  ): Promise<{ readonly digest: Digest; readonly sizeBytes: number } | undefined> {
    const place = await this.#placeOf(principal, ref)
    if (place === undefined) return undefined
    const { rule, name } = place
    const found = await this.#upstreams.ask(rule, (registry) => registry.findBlob(name, digest))
    return found?.sizeBytes === undefined ? undefined : { digest, sizeBytes: found.sizeBytes }
  }

  /** Brings what refers to an image, if nobody has looked for six hours. Throws `upstream-referrers-unavailable` for an upstream that refuses. */
  async bringReferrers(principal: Principal, ref: RepositoryRef, subject: Digest): Promise<void> {
    const place = await this.#placeOf(principal, ref)
    if (place === undefined) return
    const { rule, repository, name } = place
    const thing = { repositoryId: repository.id, kind: 'referrers', name: subject } as const
    const check = await this.#metadata.view.pullThrough.findCheck(thing)
    const nowMs = this.#clock.now().getTime()
    if (check !== undefined && nowMs - check.checkedAt.getTime() < REFERRERS_FRESH_MS) return
    const key = `${keyOf(ref, { digest: subject })} referrers`
    if (this.#isResting(key)) return
    await this.#once(key, async () => {
      try {
        const found = await this.#upstreams.ask(rule, (registry) => registry.listReferrers(name, subject))
        for (const { digest: text } of found.slice(0, REFERRERS_MAX)) {
          const digest = tryParseDigest(String(text))
          if (digest !== undefined) await this.#bringByDigest(rule, ref, repository, digest)
        }
        await this.#metadata.transact((tx) =>
          tx.pullThrough.putCheck(thing, { checkedAt: this.#clock.now(), digest: undefined }),
        )
      } catch (thrown) {
        if (isRegistryError(thrown, 'upstream-denied'))
          throw upstreamReferrersUnavailable(thrown.message, { cause: thrown })
        if (!isUpstreamFailure(thrown)) throw thrown
        this.#rest(key)
      }
      return undefined
    })
  }

  async #bringByDigest(rule: PullThroughRule, ref: RepositoryRef, { id }: Repository, digest: Digest): Promise<void> {
    if ((await this.#metadata.view.images.find(id, { digest })) !== undefined) return
    const name = upstreamName(rule, ref.name)
    const manifest = await this.#upstreams.getManifest(rule, name, digest)
    await (await this.#imports.begin({ rule, ref, reference: { digest } }, manifest)).done
  }

  /** Waits until all images that are on their way are here, or cannot come. */
  idle(): Promise<void> {
    return this.#imports.idle()
  }

  /** Ends what is under way, and waits for it. */
  async close(): Promise<void> {
    await this.#flights.close()
    await this.#imports.idle()
  }

  /**
   * Whether the upstream is to be asked what a tag is now (`old`); `resting`: it would be, had it not failed a moment ago. Digests
   * never change; a tag that somebody has pushed here is his.
   */
  async #ageOf(
    repository: Repository,
    image: Image,
    reference: ImageReference,
    { isRefreshWanted }: PullWish,
  ): Promise<'fresh' | 'old' | 'resting'> {
    if (!('tag' in reference) || !isActiveAt(image, this.#clock.now())) return 'fresh'
    const thing = { repositoryId: repository.id, kind: 'tag', name: reference.tag } as const
    const check = await this.#metadata.view.pullThrough.findCheck(thing)
    if (check === undefined || check.digest !== image.digest) return 'fresh'
    if (isRefreshWanted === true) return 'old'
    const isOld = this.#clock.now().getTime() - check.checkedAt.getTime() >= FRESH_MS
    if (!isOld) return 'fresh'
    return this.#isResting(keyOf(repository, reference)) ? 'resting' : 'old'
  }

  /** Who may not have it brought sees what is here, and nothing else: a refusal would tell what rules there are. */
  async #mayImport(principal: Principal, ref: RepositoryRef, reference?: ImageReference): Promise<boolean> {
    if (!(await this.#access.permits(principal, 'ecr:BatchImportUpstreamImage', ref))) return false
    return reference === undefined || this.#access.permits(principal, 'ecr:BatchGetImage', ref)
  }

  async #fetch(
    principal: Principal,
    rule: PullThroughRule,
    ref: RepositoryRef,
    reference: ImageReference,
  ): Promise<UpstreamManifest | undefined> {
    const manifest = await this.#getManifest(rule, ref, reference)
    if (!(await this.#targets.ensureCache(principal, ref))) return undefined
    return (await this.#imports.begin({ rule, ref, reference }, manifest)).manifest
  }

  /** Asks what a tag is now. The same: it is fresh again. Another: that one is brought. */
  async #compare(
    rule: PullThroughRule,
    ref: RepositoryRef,
    repository: Repository,
    image: Image,
    reference: ImageReference,
  ): Promise<UpstreamManifest | undefined> {
    const tag = 'tag' in reference ? reference.tag : undefined
    if (tag === undefined) return undefined
    const name = upstreamName(rule, ref.name)
    const head = await this.#upstreams.ask(rule, (registry) => registry.headManifest(name, tag))
    const manifest = head.digest === image.digest ? undefined : await this.#getManifest(rule, ref, reference)
    if (manifest !== undefined && manifest.digest !== image.digest)
      return (await this.#imports.begin({ rule, ref, reference }, manifest)).manifest
    const check = { checkedAt: this.#clock.now(), digest: image.digest }
    const thing = { repositoryId: repository.id, kind: 'tag', name: tag } as const
    await this.#metadata.transact((tx) => tx.pullThrough.putCheck(thing, check), { durability: 'relaxed' })
    return undefined
  }

  #getManifest(rule: PullThroughRule, ref: RepositoryRef, reference: ImageReference): Promise<UpstreamManifest> {
    const name = upstreamName(rule, ref.name)
    return this.#upstreams.getManifest(rule, name, 'tag' in reference ? reference.tag : reference.digest)
  }

  async #flightOf(principal: Principal, ref: RepositoryRef, digest: Digest): Promise<BlobFlight | undefined> {
    const place = await this.#placeOf(principal, ref)
    if (place === undefined) return undefined
    const { rule, repository, name } = place
    return this.#flights.of({ rule, repository, upstreamName: name, digest })
  }

  /** The repository that is a cache, and of what; `undefined` when it is none, or the principal may not have it filled. */
  async #placeOf(principal: Principal, ref: RepositoryRef) {
    const rule = await this.#rules.find(ref)
    if (rule === undefined || !(await this.#mayImport(principal, ref))) return undefined
    const repository = await this.#metadata.view.repositories.find(ref)
    return repository === undefined ? undefined : { rule, repository, name: upstreamName(rule, ref.name) }
  }

  async #once<T extends UpstreamManifest | undefined>(
    key: string,
    work: () => Promise<T>,
  ): Promise<UpstreamManifest | undefined> {
    const underWay = this.#underWay.get(key)
    if (underWay !== undefined) return underWay
    const begun = work().finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, begun)
    return begun
  }

  #rest(key: string): void {
    if (this.#restUntilMs.size >= RESTS_MAX) this.#restUntilMs.clear()
    this.#restUntilMs.set(key, this.#clock.now().getTime() + REST_MS)
  }

  #isResting(key: string): boolean {
    return this.#clock.now().getTime() < (this.#restUntilMs.get(key) ?? 0)
  }
}

const FAILURES = [
  'upstream-denied',
  'upstream-not-found',
  'upstream-rate-limited',
  'upstream-unavailable',
  'upstream-wrong',
] as const
const isUpstreamFailure = (thrown: unknown) => isRegistryError(thrown, ...FAILURES)

function keyOf({ registry, name }: RepositoryRef, reference: ImageReference) {
  return `${registry.registryId}/${registry.region}/${name}:${'tag' in reference ? reference.tag : reference.digest}`
}
