import type { Digest } from '../domain/digest.ts'
import { digestAlgorithm } from '../domain/digest.ts'
import { MANIFEST_BYTES_MAX, parseManifest } from '../domain/manifest.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import { companionTags, isCompanionTag } from './companions.ts'
import { bytesIn, type LayoutFiles, textIn } from './layout-files.ts'
import { blobFile, INDEX_FILE, LAYOUT_FILE, type LayoutEntry, nameOfEntry, readIndex } from './layout-format.ts'
import { type BlobWanted, type ImageSource, type ManifestBytes, MovingFailure, type Root } from './places.ts'

/** What decides where the images of a layout go. */
export interface LayoutNaming {
  /** All of them go there, whatever the layout says of repositories. */
  readonly repository?: string | undefined
  readonly wantsTag?: ((tag: string) => boolean) | undefined
}

/** The images of an OCI image layout, by repository. */
export class LayoutSource implements ImageSource {
  readonly #files: LayoutFiles
  readonly #naming: LayoutNaming
  readonly #roots = new Map<string, Root[]>()
  readonly #types = new Map<Digest, string>()
  readonly #referrers = new Map<Digest, Digest[]>()
  /** By `repository:tag`. */
  readonly #companions = new Map<string, Root>()

  private constructor(files: LayoutFiles, naming: LayoutNaming) {
    this.#files = files
    this.#naming = naming
  }

  /** Throws `MovingFailure` when it is no layout, or does not say where its images belong. */
  static async open(files: LayoutFiles, naming: LayoutNaming): Promise<LayoutSource> {
    const [mark, index] = [await textIn(files, LAYOUT_FILE), await textIn(files, INDEX_FILE)]
    if (mark === undefined || index === undefined)
      throw new MovingFailure('This is no OCI image layout: oci-layout or index.json is missing.')
    const source = new LayoutSource(files, naming)
    for (const entry of readIndex(index)) await source.#add(entry)
    return source
  }

  get repositories(): readonly string[] {
    return [...this.#roots.keys()]
  }

  async *roots(repository: string): AsyncGenerator<Root, void, void> {
    const roots = this.#roots.get(repository) ?? []
    yield* roots.filter(({ tag }) => tag !== undefined)
    yield* roots.filter(({ tag }) => tag === undefined)
  }

  async digestOf(repository: string, tag: string): Promise<Digest> {
    const found = this.#roots.get(repository)?.find((root) => root.tag === tag)?.digest
    if (found === undefined) throw new MovingFailure(`The layout has no ${repository}:${tag}.`)
    return found
  }

  async manifest(_repository: string, digest: Digest): Promise<ManifestBytes> {
    const size = this.#files.sizeOf(blobFile(digest))
    if (size === undefined) throw new MovingFailure(`The layout lacks ${digest}.`)
    if (size > MANIFEST_BYTES_MAX) throw new MovingFailure(`${digest} is too large for a manifest.`)
    const bytes = await bytesIn(this.#files, blobFile(digest))
    const hash = new RunningHash(digestAlgorithm(digest))
    hash.update(bytes)
    if (hash.digest() !== digest) throw new MovingFailure(`The layout holds other bytes than those of ${digest}.`)
    return { bytes, digest, mediaType: this.#types.get(digest) }
  }

  async referrers(_repository: string, digest: Digest): Promise<readonly Digest[]> {
    return this.#referrers.get(digest) ?? []
  }

  async *companions(repository: string, digests: readonly Digest[]): AsyncGenerator<Root, void, void> {
    for (const tag of digests.flatMap(companionTags)) {
      const root = this.#companions.get(`${repository}:${tag}`)
      if (root !== undefined) yield root
    }
  }

  async *blob(
    _repository: string,
    { digest, sizeBytes }: BlobWanted,
    from: number,
    hash: RunningHash,
  ): AsyncGenerator<Uint8Array, void, void> {
    if (this.#files.sizeOf(blobFile(digest)) !== sizeBytes)
      throw new MovingFailure(`The layout lacks ${digest}, or has it with another size.`)
    yield* hash.through(this.#files.read(blobFile(digest), from))
  }

  async #add(entry: LayoutEntry): Promise<void> {
    const { digest, mediaType } = entry
    this.#types.set(digest, mediaType)
    const { wantsTag } = this.#naming
    const named = nameOfEntry(entry)
    const repository = this.#naming.repository ?? named.repository
    if (repository === undefined)
      throw new MovingFailure(
        `The layout does not say which repository ${named.tag ?? digest} belongs to: name one, as in \`ecru import <layout> team/app\`.`,
      )
    const subject = await this.#subjectOf(digest)
    if (subject !== undefined) this.#referrers.set(subject, [...(this.#referrers.get(subject) ?? []), digest])
    if (wantsTag !== undefined && (named.tag === undefined || !wantsTag(named.tag))) {
      if (named.tag !== undefined && isCompanionTag(named.tag))
        this.#companions.set(`${repository}:${named.tag}`, { tag: named.tag, digest })
      return
    }
    this.#roots.set(repository, [...(this.#roots.get(repository) ?? []), { tag: named.tag, digest }])
  }

  async #subjectOf(digest: Digest): Promise<Digest | undefined> {
    try {
      const { bytes, mediaType } = await this.manifest('', digest)
      return parseManifest(bytes, mediaType).subject
    } catch {
      // It is told when the image itself is brought.
      return undefined
    }
  }
}
