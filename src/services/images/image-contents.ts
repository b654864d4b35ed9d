import type { Digest } from '../../domain/digest.ts'
import { blobNotFound, imageNotFound, invalidParameters, repositoryNotFound } from '../../domain/errors.ts'
import type { Image, ImageReference } from '../../domain/image.ts'
import type { Inventory } from '../../domain/inventory/package.ts'
import { type Descriptor, type Manifest, parseManifest } from '../../domain/manifest.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Repository } from '../../domain/repository.ts'
import { isContainerImage } from '../../domain/signing/container-image.ts'
import { kmsKeyOf } from '../../domain/vault.ts'
import type { BlobBody, BlobStore } from '../../stores/blobs.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Vaults } from '../encryption/vaults.ts'
import type { Inventories } from '../scanning/inventories.ts'

/** An image with all that its manifest says. */
export interface OpenedImage {
  readonly repository: Repository
  readonly image: Image
  readonly manifest: Manifest
}

/** A container image, and what it is for. */
export interface ContainerImage extends OpenedImage {
  /** `linux/amd64`, as its configuration says. */
  readonly platform?: string | undefined
}

const CONFIG_BYTES_MAX = 4 * 1024 * 1024

/** Reads images in the registry's own name: who may ask is decided before. */
export class ImageContents {
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #vaults: Vaults
  readonly #inventories: Inventories

  constructor(metadata: MetadataStore, blobs: BlobStore, vaults: Vaults, inventories: Inventories) {
    this.#metadata = metadata
    this.#blobs = blobs
    this.#vaults = vaults
    this.#inventories = inventories
  }

  /** Throws `repository-not-found`, `image-not-found`, `kms-key-unusable`. */
  async open(ref: RepositoryRef, reference: ImageReference): Promise<OpenedImage> {
    const resolved = await this.#metadata.view.images.resolve(ref, reference)
    if (resolved === undefined) throw repositoryNotFound(ref)
    const { repository, found } = resolved
    if (found === undefined) throw imageNotFound(reference, ref)
    await this.#vaults.admit(repository, 'Decrypt')
    const bytes = await this.#vaults.openManifest(found)
    return { repository, image: found.image, manifest: parseManifest(bytes, found.image.mediaType) }
  }

  /**
   * The container image that is meant: of an index the one for the platform, which need not be named when there is one
   * only. Throws `invalid-parameter` for what is none, and what `open` throws.
   */
  async container(ref: RepositoryRef, reference: ImageReference, platform?: string): Promise<ContainerImage> {
    const opened = await this.open(ref, reference)
    if (opened.manifest.kind === 'image') {
      if (!isContainerImage(opened.manifest, [])) throw invalidParameters('The image is no container image.')
      const own = await this.#platformOf(opened)
      if (platform !== undefined && own !== platform)
        throw invalidParameters(`The image is for ${own ?? 'no platform'}, not for ${platform.slice(0, 64)}.`)
      return { ...opened, platform: own }
    }
    const children: ContainerImage[] = []
    for (const { digest } of opened.manifest.children) {
      const child = await this.#childOf(ref, digest)
      if (child !== undefined) children.push(child)
    }
    const wanted = platform === undefined ? children : children.filter((child) => child.platform === platform)
    const [only] = wanted
    if (only !== undefined && wanted.length === 1) return only
    const platforms = children.map((child) => child.platform ?? child.image.digest).join(', ')
    throw invalidParameters(`The index has images for ${platforms || 'no platform'}: name one of these as platform.`)
  }

  /** Throws what `Inventories.inventoryOf` throws. */
  async inventoryOf({ repository, manifest }: OpenedImage, signal: AbortSignal): Promise<Inventory> {
    const layers = manifest.layers.map(({ digest, mediaType }) => ({
      digest,
      mediaType,
      vault: this.#vaults.vaultOf(repository),
      open: async () => {
        const body = await this.#read(repository, digest)
        return body instanceof Blob ? body.stream() : body
      },
    }))
    return await this.#inventories.inventoryOf(layers, signal)
  }

  /** The bytes of the only document in an artifact. Throws `invalid-parameter` when there is none, or a larger one. */
  async firstLayerOf(ref: RepositoryRef, digest: Digest, bytesMax: number): Promise<Uint8Array> {
    const { repository, manifest } = await this.open(ref, { digest })
    const [layer] = manifest.layers
    if (layer === undefined) throw invalidParameters('The artifact holds no document.')
    return await this.#bytesOf(repository, layer, bytesMax)
  }

  /** The bytes of a small blob. Throws `blob-not-found`, and `invalid-parameter` when it is larger. */
  async blobOf(repository: Repository, digest: Digest, bytesMax: number): Promise<Uint8Array> {
    return await this.#bytesOf(repository, { digest }, bytesMax)
  }

  async #childOf(ref: RepositoryRef, digest: Digest): Promise<ContainerImage | undefined> {
    if ((await this.#metadata.view.images.resolve(ref, { digest }))?.found === undefined) return undefined
    const opened = await this.open(ref, { digest })
    if (opened.manifest.kind === 'index' || !isContainerImage(opened.manifest, [])) return undefined
    const platform = await this.#platformOf(opened)
    // Attestations stand beside the images of an index, as images for no platform.
    return platform?.startsWith('unknown/') ? undefined : { ...opened, platform }
  }

  async #platformOf({ repository, manifest: { config } }: OpenedImage): Promise<string | undefined> {
    if (config === undefined) return undefined
    const { os, architecture, variant } = parsed(await this.#bytesOf(repository, config, CONFIG_BYTES_MAX))
    if (typeof os !== 'string' || typeof architecture !== 'string') return undefined
    return [os, architecture, ...(typeof variant === 'string' && variant !== '' ? [variant] : [])].join('/')
  }

  /** Throws `invalid-parameter` for more than that. The size that a manifest states is its author's: that of the blob counts. */
  async #bytesOf(
    repository: Repository,
    { digest }: Pick<Descriptor, 'digest'>,
    bytesMax: number,
  ): Promise<Uint8Array> {
    const blob = await this.#metadata.view.blobs.findLinked(repository.id, digest)
    if (blob !== undefined && blob.sizeBytes > bytesMax)
      throw invalidParameters(`${digest} has more than ${bytesMax} bytes.`)
    return new Uint8Array(await new Response(await this.#read(repository, digest)).arrayBuffer())
  }

  async #read(repository: Repository, digest: Digest): Promise<BlobBody> {
    const blob = await this.#metadata.view.blobs.findLinked(repository.id, digest)
    if (blob === undefined) throw blobNotFound(digest, repository)
    if (kmsKeyOf(blob.vault) !== undefined) await this.#vaults.admit(repository, 'Decrypt')
    await this.#vaults.check(blob.vault)
    return await this.#blobs.read(blob)
  }
}

function parsed(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}
