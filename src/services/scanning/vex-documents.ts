import { type AttachedDocument, parseVex, type VexDocument } from '../../domain/advisories/vex.ts'
import type { Digest } from '../../domain/digest.ts'
import { isRegistryError } from '../../domain/errors.ts'
import { MEDIA_TYPE } from '../../domain/manifest.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Repository } from '../../domain/repository.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { ImageContents } from '../images/image-contents.ts'

/** The artifact type of an OpenVEX document that is attached to an image. */
export const VEX_ARTIFACT_TYPE = 'application/vnd.openvex+json'

export interface VexSettings {
  /** How people name a repository. */
  nameOf(ref: RepositoryRef): string
  /** Hears of documents that cannot be used. */
  report(facts: { readonly repository: string; readonly digest: Digest; readonly reason: string }): void
}

const DOCUMENTS_MAX = 100
const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
const REMEMBERED_MAX = 200
/** How many indexes may list an image, and how deep, for what is attached to them to be looked at. */
const INDEXES_MAX = 100
const DEPTH_MAX = 4

/**
 * OpenVEX documents that are attached to images. Whoever may push to a repository can attach one, as he can push another
 * image: what he says is kept with the finding. One that cannot be read says nothing.
 */
export class VexDocuments {
  readonly #metadata: MetadataStore
  readonly #contents: ImageContents
  readonly #settings: VexSettings
  /** By the digest of the artifact; `undefined`: it cannot be read. */
  readonly #read = new Map<Digest, VexDocument | undefined>()
  /** By the digest of the image, whose configuration says it. */
  readonly #platforms = new Map<Digest, string>()

  constructor(metadata: MetadataStore, contents: ImageContents, settings: VexSettings) {
    this.#metadata = metadata
    this.#contents = contents
    this.#settings = settings
  }

  /**
   * What is attached to an image, and to the indexes that list it; `undefined`: nothing. Where more is attached than is
   * read, nothing counts: what takes a statement back may be among the rest.
   */
  async attachedTo(repository: Repository, image: Digest): Promise<readonly AttachedDocument[] | undefined> {
    const attached: { readonly subject: Digest; readonly document: VexDocument }[] = []
    const indexes = await this.#indexesOf(repository, image)
    let count = indexes.length > INDEXES_MAX ? DOCUMENTS_MAX : 0
    for (const subject of [image, ...indexes]) {
      const referrers = await this.#metadata.view.images.listReferrers(
        repository.id,
        subject,
        { artifactTypes: [VEX_ARTIFACT_TYPE], status: 'ACTIVE' },
        { limit: DOCUMENTS_MAX + 1 },
      )
      count += referrers.length
      if (count > DOCUMENTS_MAX) {
        const reason = `More than ${DOCUMENTS_MAX} documents are attached, or more indexes list it: none of them counts.`
        this.#settings.report({ repository: repository.name, digest: image, reason })
        return undefined
      }
      for (const { digest, mediaType } of referrers) {
        const document = mediaType === MEDIA_TYPE.ociManifest ? await this.#documentOf(repository, digest) : undefined
        if (document !== undefined) attached.push({ subject, document })
      }
    }
    if (attached.length === 0) return undefined
    const platform = await this.#platformOf(repository, image)
    return attached.map(({ subject, document }) => {
      const identifiers = [image, subject].flatMap((digest) => this.#namesOf(repository, digest, platform))
      return { document, subject: { identifiers: [...new Set(identifiers)] } }
    })
  }

  /** The indexes that list an image, also through other indexes. */
  async #indexesOf(repository: Repository, image: Digest): Promise<readonly Digest[]> {
    const found = new Set<Digest>()
    let children: readonly Digest[] = [image]
    for (let depth = 0; depth < DEPTH_MAX && children.length > 0 && found.size <= INDEXES_MAX; depth++) {
      const parents: Digest[] = []
      for (const child of children)
        parents.push(...(await this.#metadata.view.images.livingParentsOf(repository.id, child, INDEXES_MAX + 1)))
      children = [...new Set(parents)].filter((parent) => parent !== image && !found.has(parent))
      for (const parent of children) found.add(parent)
    }
    return [...found]
  }

  /** What people call an image: its digest, alone and behind the repository, and a package URL with all that is known. */
  #namesOf(repository: Repository, digest: Digest, platform: string | undefined): readonly string[] {
    const name = this.#settings.nameOf(repository)
    const [os, arch, variant] = platform?.split('/') ?? []
    const qualifiers = Object.entries({ arch, os, repository_url: name, variant }).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${encodeURIComponent(value)}`],
    )
    const purl = `pkg:oci/${name.slice(name.lastIndexOf('/') + 1)}@${digest}?${qualifiers.join('&')}`
    return [digest, `${name}@${digest}`, purl]
  }

  /** `linux/amd64`; `undefined` where the image does not say it: what is stated of a platform then says nothing of it. */
  async #platformOf(repository: Repository, image: Digest): Promise<string | undefined> {
    const known = this.#platforms.get(image)
    if (known !== undefined) return known
    try {
      const { platform } = await this.#contents.container(repository, { digest: image })
      if (platform !== undefined) {
        if (this.#platforms.size >= REMEMBERED_MAX) this.#platforms.clear()
        this.#platforms.set(image, platform)
      }
      return platform
    } catch (thrown) {
      if (isRegistryError(thrown)) return undefined
      throw thrown
    }
  }

  async #documentOf(repository: Repository, digest: Digest): Promise<VexDocument | undefined> {
    if (this.#read.has(digest)) return this.#read.get(digest)
    try {
      const bytes = await this.#contents.firstLayerOf(repository, digest, DOCUMENT_BYTES_MAX)
      return this.#remember(digest, parseVex(JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))))
    } catch (thrown) {
      const reason = thrown instanceof Error ? thrown.message : String(thrown)
      this.#settings.report({ repository: repository.name, digest, reason })
      // A key that cannot be used now, or a document that is gone, may be another matter the next time.
      return isRegistryError(thrown) ? undefined : this.#remember(digest, undefined)
    }
  }

  #remember(digest: Digest, document: VexDocument | undefined): VexDocument | undefined {
    if (this.#read.size >= REMEMBERED_MAX) this.#read.clear()
    this.#read.set(digest, document)
    return document
  }
}
