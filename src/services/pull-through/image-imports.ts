import type { AuditTrail } from '../../domain/audit/api-call.ts'
import { upstreamImport } from '../../domain/audit/upstream-import.ts'
import type { Digest } from '../../domain/digest.ts'
import { isRegistryError } from '../../domain/errors.ts'
import { pullThroughCacheAction } from '../../domain/events.ts'
import type { ImageReference } from '../../domain/image.ts'
import { type Manifest, parseManifest, requiredBlobs } from '../../domain/manifest.ts'
import type { RepositoryRef, Tag } from '../../domain/names.ts'
import { type PullThroughRule, upstreamName } from '../../domain/pull-through.ts'
import type { Repository } from '../../domain/repository.ts'
import { upstreamWrong } from '../../domain/upstream-errors.ts'
import { Budget } from '../../lib/budget.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Images } from '../images/images.ts'
import { getRepository } from '../repositories/repositories.ts'
import type { BlobFlights } from './blob-flights.ts'
import type { UpstreamManifest, Upstreams } from './upstreams.ts'

/** An image of an upstream that is being made an image of its cache. */
export interface ImageImport {
  readonly manifest: UpstreamManifest
  /** Resolves once it is an image here; rejects with what is in the way. */
  readonly done: Promise<void>
}

export interface ImportPlan {
  readonly rule: PullThroughRule
  readonly ref: RepositoryRef
  readonly reference: ImageReference
}

/** Layers of one image that come at the same time. */
const LAYERS_AT_ONCE = 3
/** What manifests may take in memory until they are stored. */
const MANIFEST_BYTES_MAX = 128 * 1024 * 1024
const DEPTH_MAX = 4

/** What brings images into caches. */
export interface ImageImportParts {
  readonly metadata: MetadataStore
  readonly images: Images
  readonly upstreams: Upstreams
  readonly flights: BlobFlights
  readonly clock: Clock
  readonly audit: AuditTrail
  report(error: unknown): void
}

/**
 * Images on their way into caches: layers first, then the manifest, of an index all its children before it. Until that is done
 * nothing of the image is in the repository's list; what has come stays there if it breaks off, and is not fetched again.
 */
export class ImageImports {
  readonly #metadata: MetadataStore
  readonly #images: Images
  readonly #upstreams: Upstreams
  readonly #flights: BlobFlights
  readonly #clock: Clock
  readonly #audit: AuditTrail
  readonly #report: (error: unknown) => void
  readonly #budget = new Budget(MANIFEST_BYTES_MAX)
  readonly #underWay = new Map<string, ImageImport>()

  constructor(parts: ImageImportParts) {
    this.#metadata = parts.metadata
    this.#images = parts.images
    this.#upstreams = parts.upstreams
    this.#flights = parts.flights
    this.#clock = parts.clock
    this.#audit = parts.audit
    this.#report = parts.report
  }

  /** The import under way of what a reference leads to. */
  find(ref: RepositoryRef, reference: ImageReference): ImageImport | undefined {
    return this.#underWay.get(keyOf(ref, reference))
  }

  /** Begins one, unless one is under way; the manifest is what the upstream answers. */
  async begin(plan: ImportPlan, manifest: UpstreamManifest): Promise<ImageImport> {
    const give = await this.#budget.take(manifest.bytes.byteLength)
    const key = keyOf(plan.ref, plan.reference)
    const known = this.#underWay.get(key)
    if (known !== undefined && known.manifest.digest === manifest.digest) {
      give()
      return known
    }
    const done = this.#run(plan, manifest)
    const begun = { manifest, done }
    this.#underWay.set(key, begun)
    const end = () => {
      give()
      if (this.#underWay.get(key) === begun) this.#underWay.delete(key)
    }
    done.then(end, (error: unknown) => {
      end()
      if (!isRegistryError(error)) this.#report(error)
    })
    return begun
  }

  /** Tells that something could not be had. */
  async tellFailure({ rule, ref, reference }: ImportPlan, error: unknown): Promise<void> {
    if (!isRegistryError(error)) return
    const failure = { code: failureCode(error.code), reason: error.message }
    const event = pullThroughCacheAction(ref, { ...factsOf(rule, reference), failure }, this.#clock.now())
    await this.#metadata.transact(async (tx) => void (await tx.outbox.append(event)), { durability: 'relaxed' })
  }

  /** Waits for all that is under way. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#underWay.values()].map(({ done }) => done))
  }

  async #run(plan: ImportPlan, manifest: UpstreamManifest): Promise<void> {
    try {
      const repository = await getRepository(this.#metadata.view, plan.ref)
      await this.#bring(plan, repository, manifest, 0)
      const tag = 'tag' in plan.reference ? plan.reference.tag : undefined
      const { digest } = manifest
      this.#audit.recordServiceEvent(upstreamImport(plan.ref, plan.rule, { tag, digest }, this.#clock.now()))
    } catch (error) {
      await this.tellFailure(plan, error).catch(this.#report)
      throw error
    }
  }

  /** An image with all it needs; `depth` counts the indexes around it. */
  async #bring(plan: ImportPlan, repository: Repository, manifest: UpstreamManifest, depth: number): Promise<void> {
    const parsed = parseManifest(manifest.bytes, manifest.mediaType)
    if (depth > DEPTH_MAX) throw upstreamWrong(`The index ${manifest.digest} lists indexes of indexes without end`)
    await this.#bringLayers(plan, repository, parsed)
    for (const child of parsed.children) await this.#bringChild(plan, repository, child.digest, depth + 1)
    await this.#store(plan, manifest, depth === 0)
  }

  async #bringChild(plan: ImportPlan, repository: Repository, digest: Digest, depth: number): Promise<void> {
    const known = await this.#metadata.view.images.find(repository.id, { digest })
    if (known !== undefined) return
    const underWay = this.find(plan.ref, { digest })
    if (underWay !== undefined) return underWay.done
    const name = upstreamName(plan.rule, plan.ref.name)
    const manifest = await this.#upstreams.getManifest(plan.rule, name, digest)
    await this.#bring(plan, repository, manifest, depth)
  }

  async #bringLayers({ rule, ref }: ImportPlan, repository: Repository, manifest: Manifest): Promise<void> {
    const needed = requiredBlobs(manifest)
    const digests = needed.map(({ digest }) => digest)
    const linked = await this.#metadata.view.blobs.findLinkedMany(repository.id, digests)
    const missing = needed.filter(({ digest }) => !linked.has(digest))
    const name = upstreamName(rule, ref.name)
    const bringNext = async (): Promise<void> => {
      for (let next = missing.shift(); next !== undefined; next = missing.shift()) {
        const { digest, sizeBytes } = next
        await this.#flights.of({ rule, repository, upstreamName: name, digest, sizeBytes }).landed
      }
    }
    await Promise.all(Array.from({ length: LAYERS_AT_ONCE }, bringNext))
  }

  /** The manifest with its tag, in one transaction with what was compared, and with the event. */
  async #store({ rule, ref, reference }: ImportPlan, manifest: UpstreamManifest, isWanted: boolean): Promise<void> {
    const { bytes, digest, mediaType } = manifest
    const tag = 'tag' in reference && isWanted ? reference.tag : undefined
    const at = this.#clock.now()
    const store = (tags: readonly Tag[]) =>
      this.#images.import(ref, { manifest: bytes, mediaType, tags, digest }, async (tx, image) => {
        if (tag !== undefined) {
          const thing = { repositoryId: image.repositoryId, kind: 'tag', name: tag } as const
          await tx.pullThrough.putCheck(thing, { checkedAt: at, digest })
        }
        if (isWanted)
          await tx.outbox.append(
            pullThroughCacheAction(ref, { ...factsOf(rule, reference), digest }, this.#clock.now()),
          )
      })
    try {
      await store(tag === undefined ? [] : [tag])
    } catch (thrown) {
      if (!isRegistryError(thrown, 'tag-immutable')) throw thrown
      // The tag is to stay where it is: what it leads to now is an image without it.
      await store([])
    }
  }
}

function keyOf(
  { registry, name }: RepositoryRef,
  { tag, digest }: { readonly tag?: Tag; readonly digest?: Digest },
): string {
  return `${registry.registryId}/${registry.region}/${name}${tag === undefined ? `@${digest}` : `:${tag}`}`
}

function factsOf(rule: PullThroughRule, reference: { readonly tag?: Tag; readonly digest?: Digest }) {
  return { prefix: rule.prefix, upstream: rule.upstreamUrl, tag: reference.tag, digest: reference.digest }
}

function failureCode(code: string): string {
  switch (code) {
    case 'upstream-denied':
      return 'UpstreamAccessDenied'
    case 'upstream-rate-limited':
      return 'UpstreamTooManyRequests'
    case 'upstream-not-found':
      return 'ImageNotFound'
    case 'upstream-unavailable':
    case 'upstream-wrong':
      return 'UpstreamUnavailable'
    default:
      return 'ImportFailed'
  }
}
