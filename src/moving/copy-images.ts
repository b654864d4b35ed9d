import type { Digest } from '../domain/digest.ts'
import { type Manifest, MEDIA_TYPE, parseManifest, requiredBlobs, requiredChildren } from '../domain/manifest.ts'
import { sideBySide } from '../lib/side-by-side.ts'
import {
  type BlobWanted,
  type ImageSource,
  type ImageTarget,
  type ManifestBytes,
  MovingFailure,
  type Root,
} from './places.ts'

export interface CopyOptions {
  readonly isDryRun: boolean
  /** Signatures, attestations and whatever else refers to an image go along. */
  readonly withReferrers: boolean
  /** Images at a time, and blobs of each. */
  readonly parallel: number
  /** Hears of each image that is done. */
  readonly onImage?: (image: string) => void
  /** Hears of bytes as they pass by. */
  readonly onBytes?: (count: number) => void
}

export interface CopyReport {
  readonly isDryRun: boolean
  readonly repositories: number
  readonly tags: number
  /** Manifests that were brought, or would be; indexes count as one. */
  readonly copiedImages: number
  readonly presentImages: number
  readonly copiedBlobs: number
  readonly copiedBytes: number
  readonly failures: readonly { readonly image: string; readonly reason: string }[]
}

type Typed = ManifestBytes & { readonly mediaType: string }

const DEPTH_MAX = 8

/**
 * Brings images from one place to another: what they name before them, referrers behind them. What is there is not sent
 * again, so that a run that was cut off is taken up by the next. An image that fails keeps no other one back.
 */
export class ImageCopy {
  readonly #source: ImageSource
  readonly #target: ImageTarget
  readonly #options: CopyOptions
  readonly #watched: (bytes: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>
  readonly #failures: { image: string; reason: string }[] = []
  /** What is being brought or was, of the repository at hand. */
  readonly #known = new Map<Digest, Promise<void>>()
  /** Blobs that a dry run has counted; every place keeps what several repositories share once, or mounts it. */
  readonly #counted = new Set<Digest>()
  /** Of which the referrers are being brought, or were. */
  readonly #referred = new Set<Digest>()
  #repositories = 0
  #tags = 0
  #copiedImages = 0
  #presentImages = 0
  #copiedBlobs = 0
  #copiedBytes = 0

  constructor(source: ImageSource, target: ImageTarget, options: CopyOptions) {
    this.#source = source
    this.#target = target
    this.#options = options
    this.#watched = options.onBytes === undefined ? (bytes) => bytes : countedBy(options.onBytes)
  }

  /** `to`: what the repository is called in the other place. */
  async copyRepository(repository: string, to: string): Promise<void> {
    this.#known.clear()
    this.#referred.clear()
    this.#repositories++
    if (!this.#options.isDryRun) await this.#target.prepare(to)
    await this.#copyRoots(repository, to, this.#source.roots(repository))
    const companions = this.#options.withReferrers
      ? this.#source.companions?.(repository, [...this.#known.keys()])
      : undefined
    if (companions !== undefined) await this.#copyRoots(repository, to, companions)
  }

  /** A repository that cannot be copied at all. */
  fail(repository: string, thrown: unknown): void {
    this.#failures.push({ image: repository, reason: thrown instanceof Error ? thrown.message : String(thrown) })
  }

  async #copyRoots(repository: string, to: string, roots: AsyncIterable<Root>): Promise<void> {
    await sideBySide(roots, this.#options.parallel, async (root) => {
      const image = root.tag === undefined ? `${repository}@${root.digest}` : `${repository}:${root.tag}`
      try {
        await this.#copyRoot(repository, to, root)
        this.#options.onImage?.(image)
      } catch (thrown) {
        this.fail(image, thrown)
      }
    })
  }

  get report(): CopyReport {
    return {
      isDryRun: this.#options.isDryRun,
      repositories: this.#repositories,
      tags: this.#tags,
      copiedImages: this.#copiedImages,
      presentImages: this.#presentImages,
      copiedBlobs: this.#copiedBlobs,
      copiedBytes: this.#copiedBytes,
      failures: this.#failures,
    }
  }

  async #copyRoot(repository: string, to: string, root: Root): Promise<void> {
    const digest = root.digest ?? (await this.#source.digestOf(repository, root.tag ?? ''))
    // What came with an image is no image in its own right.
    if (root.tag === undefined && this.#known.has(digest)) return await this.#known.get(digest)
    await this.#copyTree(repository, to, digest, 0)
    if (root.tag !== undefined) this.#tags++
    if (this.#options.isDryRun) {
      if (this.#options.withReferrers) await this.#copyReferrersOfAll(repository, to, digest, 0)
      return
    }
    if (root.tag === undefined || (await this.#target.named(to, root.tag)) !== digest)
      await this.#target.name(to, typed(await this.#source.manifest(repository, digest)), root.tag)
    if (this.#options.withReferrers) await this.#copyReferrersOfAll(repository, to, digest, 0)
  }

  /** Those of an index, and those of what it names: platforms are signed one by one as well. */
  async #copyReferrersOfAll(repository: string, to: string, digest: Digest, depth: number): Promise<void> {
    if (this.#referred.has(digest) || depth > DEPTH_MAX) return
    this.#referred.add(digest)
    await this.#copyReferrers(repository, to, digest, 0)
    const { bytes, mediaType } = typed(await this.#source.manifest(repository, digest))
    for (const child of requiredChildren(parseManifest(bytes, mediaType)))
      await this.#copyReferrersOfAll(repository, to, child, depth + 1)
  }

  async #copyReferrers(repository: string, to: string, digest: Digest, depth: number): Promise<void> {
    if (depth > DEPTH_MAX) return
    for (const referrer of await this.#source.referrers(repository, digest)) {
      if (referrer === digest) continue
      const isNew = !this.#known.has(referrer)
      await this.#copyTree(repository, to, referrer, 0)
      if (!isNew) continue
      if (!this.#options.isDryRun)
        await this.#target.name(to, typed(await this.#source.manifest(repository, referrer)), undefined)
      await this.#copyReferrers(repository, to, referrer, depth + 1)
    }
  }

  /** What would be brought. */
  async #count(to: string, blobs: readonly BlobWanted[]): Promise<void> {
    for (const blob of blobs) {
      if (this.#counted.has(blob.digest)) continue
      this.#counted.add(blob.digest)
      if (await this.#target.hasBlob(to, blob)) continue
      this.#copiedBlobs++
      this.#copiedBytes += blob.sizeBytes
    }
  }

  #copyTree(repository: string, to: string, digest: Digest, depth: number): Promise<void> {
    const known = this.#known.get(digest)
    if (known !== undefined) return known
    const copying = this.#bring(repository, to, digest, depth)
    this.#known.set(digest, copying)
    // Whoever waits for it hears of its failure.
    copying.catch(() => undefined)
    return copying
  }

  async #bring(repository: string, to: string, digest: Digest, depth: number): Promise<void> {
    const there = await this.#target.whole(to, digest)
    if (there !== undefined) {
      this.#presentImages++
      for (const one of there) if (!this.#known.has(one)) this.#known.set(one, Promise.resolve())
      return
    }
    if (depth > DEPTH_MAX) throw new MovingFailure(`${digest} lies in more than ${DEPTH_MAX} indexes.`)
    const manifest = typed(await this.#source.manifest(repository, digest))
    const parsed: Manifest = parseManifest(manifest.bytes, manifest.mediaType)
    for (const child of requiredChildren(parsed)) await this.#copyTree(repository, to, child, depth + 1)
    this.#copiedImages++
    if (this.#options.isDryRun) return await this.#count(to, requiredBlobs(parsed))
    await sideBySide(requiredBlobs(parsed), this.#options.parallel, async (blob) => {
      const isCopied = await this.#target.putBlob(to, blob, (from, hash) =>
        this.#watched(this.#source.blob(repository, blob, from, hash)),
      )
      if (!isCopied) return
      this.#copiedBlobs++
      this.#copiedBytes += blob.sizeBytes
    })
    await this.#target.putManifest(to, manifest)
  }
}

function countedBy(onBytes: (count: number) => void) {
  return async function* (bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of bytes) {
      onBytes(chunk.byteLength)
      yield chunk
    }
  }
}

/** With the media type that it has itself where the place does not say one; OCI leaves it out at times. */
function typed({ bytes, digest, mediaType }: ManifestBytes): Typed {
  return { bytes, digest, mediaType: parseManifest(bytes, mediaType ?? guess(bytes)).mediaType }
}

function guess(bytes: Uint8Array): string | undefined {
  try {
    const { mediaType, manifests } = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>
    if (typeof mediaType === 'string') return undefined
    return manifests === undefined ? MEDIA_TYPE.ociManifest : MEDIA_TYPE.ociIndex
  } catch {
    return undefined
  }
}
