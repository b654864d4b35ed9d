import type { Digest } from '../domain/digest.ts'
import { MEDIA_TYPE } from '../domain/manifest.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import { type LayoutFiles, textIn } from './layout-files.ts'
import { LAYOUT_FILE, nameOfEntry } from './layout-format.ts'
import type { LayoutNaming } from './layout-source.ts'
import { type BlobWanted, type ImageSource, type ManifestBytes, MovingFailure, type Root } from './places.ts'

const MANIFEST_FILE = 'manifest.json'
const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json'
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar'
const GZIP = [0x1f, 0x8b] as const

/** What `docker save` writes: no manifests, but what they are made of. They are made here, the same for the same archive. */
export class DockerArchive implements ImageSource {
  readonly #files: LayoutFiles
  readonly #roots = new Map<string, Root[]>()
  readonly #manifests = new Map<Digest, Uint8Array>()
  readonly #names = new Map<Digest, string>()

  private constructor(files: LayoutFiles) {
    this.#files = files
  }

  /** Newer ones are OCI layouts as well, and better read as such. */
  static isOne(files: LayoutFiles): boolean {
    return files.sizeOf(LAYOUT_FILE) === undefined && files.sizeOf(MANIFEST_FILE) !== undefined
  }

  /** Reads every layer once, for its digest. Throws `MovingFailure`. */
  static async open(files: LayoutFiles, naming: LayoutNaming): Promise<DockerArchive> {
    const archive = new DockerArchive(files)
    for (const image of readManifest((await textIn(files, MANIFEST_FILE)) ?? '')) await archive.#add(image, naming)
    return archive
  }

  get repositories(): readonly string[] {
    return [...this.#roots.keys()]
  }

  async *roots(repository: string): AsyncGenerator<Root, void, void> {
    yield* this.#roots.get(repository) ?? []
  }

  async digestOf(repository: string, tag: string): Promise<Digest> {
    const found = this.#roots.get(repository)?.find((root) => root.tag === tag)?.digest
    if (found === undefined) throw new MovingFailure(`The archive has no ${repository}:${tag}.`)
    return found
  }

  async manifest(_repository: string, digest: Digest): Promise<ManifestBytes> {
    const bytes = this.#manifests.get(digest)
    if (bytes === undefined) throw new MovingFailure(`The archive lacks ${digest}.`)
    return { bytes, digest, mediaType: MEDIA_TYPE.ociManifest }
  }

  async referrers(): Promise<readonly Digest[]> {
    return []
  }

  async *blob(_repository: string, { digest }: BlobWanted, from: number, hash: RunningHash) {
    yield* hash.through(this.#files.read(this.#names.get(digest) ?? '', from))
  }

  async #add({ config, repoTags, layers }: SavedImage, naming: LayoutNaming): Promise<void> {
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      config: await this.#describe(config, CONFIG_TYPE),
      layers: [] as object[],
    }
    for (const layer of layers) manifest.layers.push(await this.#describe(layer, LAYER_TYPE))
    const bytes = new TextEncoder().encode(JSON.stringify(manifest))
    const hash = new RunningHash('sha256')
    hash.update(bytes)
    const digest = hash.digest()
    this.#manifests.set(digest, bytes)
    const names = repoTags.map((refName) => nameOfEntry({ digest, mediaType: '', sizeBytes: 0, refName }))
    for (const { repository: own, tag } of names.length === 0 ? [{ repository: undefined, tag: undefined }] : names) {
      const repository = naming.repository ?? own
      if (repository === undefined)
        throw new MovingFailure('The archive does not say which repository an image belongs to: name one behind it.')
      if (naming.wantsTag !== undefined && (tag === undefined || !naming.wantsTag(tag))) continue
      this.#roots.set(repository, [...(this.#roots.get(repository) ?? []), { tag, digest }])
    }
  }

  async #describe(name: string, mediaType: string): Promise<object> {
    const size = this.#files.sizeOf(name)
    if (size === undefined) throw new MovingFailure(`The archive lacks ${name}.`)
    const hash = new RunningHash('sha256')
    let isPacked = false
    for await (const chunk of hash.through(this.#files.read(name)))
      if (hash.sizeBytes === chunk.byteLength) isPacked = chunk[0] === GZIP[0] && chunk[1] === GZIP[1]
    const digest = hash.digest()
    this.#names.set(digest, name)
    return { mediaType: isPacked ? `${mediaType}+gzip` : mediaType, digest, size }
  }
}

interface SavedImage {
  readonly config: string
  readonly repoTags: readonly string[]
  readonly layers: readonly string[]
}

function readManifest(text: string): readonly SavedImage[] {
  let images: unknown
  try {
    images = JSON.parse(text)
  } catch (cause) {
    throw new MovingFailure('manifest.json of the archive is no JSON.', { cause })
  }
  const isTexts = (value: unknown): value is readonly string[] =>
    Array.isArray(value) && value.every((one) => typeof one === 'string')
  if (!Array.isArray(images)) throw new MovingFailure('manifest.json of the archive is no list of images.')
  return images.map((one: unknown) => {
    const { Config: config, RepoTags, Layers: layers } = (one ?? {}) as Readonly<Record<string, unknown>>
    if (typeof config !== 'string' || !isTexts(layers))
      throw new MovingFailure('manifest.json of the archive has a line that describes no image.')
    return { config, layers, repoTags: isTexts(RepoTags) ? RepoTags : [] }
  })
}
