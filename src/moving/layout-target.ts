import { type Digest, digestAlgorithm } from '../domain/digest.ts'
import {
  MANIFEST_BYTES_MAX,
  type Manifest,
  parseManifest,
  requiredBlobs,
  requiredChildren,
} from '../domain/manifest.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import { bytesIn, type LayoutFiles, textIn } from './layout-files.ts'
import { blobFile, INDEX_FILE, type LayoutEntry, printIndex, readIndex } from './layout-format.ts'
import { type BlobWanted, type ImageTarget, type ManifestBytes, MovingFailure } from './places.ts'

/** Files that can be added. */
export interface GrowingFiles extends LayoutFiles {
  /**
   * Adds a file of so many bytes, unless `read` fails: then what has come may be kept for the next time. `read` begins
   * where `hash`, which has seen what was kept, has got to. Throws when the bytes are not those of the digest.
   */
  add(
    name: string,
    wanted: BlobWanted,
    read: (from: number, hash: RunningHash) => AsyncIterable<Uint8Array>,
  ): Promise<void>
  /** Replaces the index, whole or not at all; all that it names is safe before. */
  finish(index: string): Promise<void>
}

/** How images are called in the index: by their tag, for a layout of one repository, or by repository and tag. */
export type LayoutNames = 'tag' | 'full'

/** An OCI image layout that is written or added to. */
export class LayoutTarget implements ImageTarget {
  readonly #files: GrowingFiles
  readonly #names: LayoutNames
  readonly #entries = new Map<string, LayoutEntry>()
  readonly #types = new Map<Digest, string>()
  readonly #wanted = new Map<Digest, Promise<boolean>>()

  private constructor(files: GrowingFiles, names: LayoutNames) {
    this.#files = files
    this.#names = names
  }

  static async open(files: GrowingFiles, names: LayoutNames): Promise<LayoutTarget> {
    const target = new LayoutTarget(files, names)
    const index = await textIn(files, INDEX_FILE)
    for (const entry of index === undefined ? [] : readIndex(index)) {
      target.#entries.set(entry.refName ?? entry.digest, entry)
      target.#types.set(entry.digest, entry.mediaType)
    }
    return target
  }

  async prepare(): Promise<void> {}

  async whole(_repository: string, digest: Digest): Promise<readonly Digest[] | undefined> {
    const found: Digest[] = []
    return (await this.#collect(digest, found)) ? found : undefined
  }

  async named(repository: string, tag: string): Promise<Digest | undefined> {
    return this.#entries.get(this.#nameOf(repository, tag))?.digest
  }

  async hasBlob(_repository: string, { digest, sizeBytes }: BlobWanted): Promise<boolean> {
    return this.#files.sizeOf(blobFile(digest)) === sizeBytes
  }

  /** Two images may want the same blob at the same time: it is brought once. */
  async putBlob(
    _repository: string,
    wanted: BlobWanted,
    read: (from: number, hash: RunningHash) => AsyncIterable<Uint8Array>,
  ): Promise<boolean> {
    const { digest, sizeBytes } = wanted
    const underWay = this.#wanted.get(digest)
    if (underWay !== undefined) {
      await underWay
      return false
    }
    if (this.#files.sizeOf(blobFile(digest)) === sizeBytes) return false
    const adding = this.#files.add(blobFile(digest), wanted, read).then(() => true)
    this.#wanted.set(digest, adding)
    return await adding.finally(() => this.#wanted.delete(digest))
  }

  async putManifest(_repository: string, { digest, bytes, mediaType }: ManifestBytes & { readonly mediaType: string }) {
    this.#types.set(digest, mediaType)
    const wanted = { digest, sizeBytes: bytes.byteLength }
    await this.putBlob(_repository, wanted, (from, hash) => hash.through(once(bytes.subarray(from))))
  }

  async name(
    repository: string,
    { digest, bytes, mediaType }: ManifestBytes & { readonly mediaType: string },
    tag: string | undefined,
  ): Promise<void> {
    const refName =
      tag !== undefined ? this.#nameOf(repository, tag) : this.#names === 'full' ? `${repository}@${digest}` : undefined
    const { artifactType } = parseManifest(bytes, mediaType)
    const entry = { digest, mediaType, sizeBytes: bytes.byteLength, artifactType, refName }
    this.#entries.set(refName ?? digest, entry)
  }

  async finish(): Promise<void> {
    await this.#files.finish(printIndex(this.#entries.values()))
  }

  #nameOf(repository: string, tag: string): string {
    return this.#names === 'full' ? `${repository}:${tag}` : tag
  }

  async #collect(digest: Digest, found: Digest[]): Promise<boolean> {
    const manifest = await this.#read(digest)
    if (manifest === undefined) return false
    for (const blob of requiredBlobs(manifest))
      if (this.#files.sizeOf(blobFile(blob.digest)) !== blob.sizeBytes) return false
    found.push(digest)
    for (const child of manifest.children) this.#types.set(child.digest, child.mediaType)
    for (const child of requiredChildren(manifest))
      if (!found.includes(child) && !(await this.#collect(child, found))) return false
    return true
  }

  async #read(digest: Digest): Promise<Manifest | undefined> {
    const size = this.#files.sizeOf(blobFile(digest))
    if (size === undefined || size > MANIFEST_BYTES_MAX) return undefined
    const bytes = await bytesIn(this.#files, blobFile(digest))
    const hash = new RunningHash(digestAlgorithm(digest))
    hash.update(bytes)
    if (hash.digest() !== digest) throw new MovingFailure(`The layout holds other bytes than those of ${digest}.`)
    try {
      return parseManifest(bytes, this.#types.get(digest))
    } catch {
      // Without its media type nobody can say what it names: it is read at its source.
      return undefined
    }
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes
}
