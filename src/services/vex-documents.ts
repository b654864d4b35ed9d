import { parseVex, type VexDocument, type VexSubject } from '../domain/advisories/vex.ts'
import type { Digest } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import { MEDIA_TYPE } from '../domain/manifest.ts'
import type { RepositoryRef } from '../domain/names.ts'
import type { Repository } from '../domain/repository.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import type { ImageContents } from './image-contents.ts'

/** The artifact type of an OpenVEX document that is attached to an image. */
export const VEX_ARTIFACT_TYPE = 'application/vnd.openvex+json'

/** What documents that are attached to an image say of it. */
export interface AttachedVex {
  readonly documents: readonly VexDocument[]
  readonly subject: VexSubject
}

export interface VexSettings {
  /** How people name a repository. */
  nameOf(ref: RepositoryRef): string
  /** Hears of documents that cannot be used. */
  report(facts: { readonly repository: string; readonly digest: Digest; readonly reason: string }): void
}

const DOCUMENTS_MAX = 100
const DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
const REMEMBERED_MAX = 200

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

  constructor(metadata: MetadataStore, contents: ImageContents, settings: VexSettings) {
    this.#metadata = metadata
    this.#contents = contents
    this.#settings = settings
  }

  /** `undefined`: none is attached. */
  async attachedTo(repository: Repository, imageId: number): Promise<AttachedVex | undefined> {
    const referrers = await this.#metadata.view.images.listReferrersOf(imageId, VEX_ARTIFACT_TYPE, DOCUMENTS_MAX)
    const documents: VexDocument[] = []
    for (const { digest, mediaType } of referrers) {
      const document = mediaType === MEDIA_TYPE.ociManifest ? await this.#documentOf(repository, digest) : undefined
      if (document !== undefined) documents.push(document)
    }
    const subject = referrers[0]?.subject
    if (documents.length === 0 || subject === undefined) return undefined
    const name = this.#settings.nameOf(repository)
    const purl = `pkg:oci/${name.slice(name.lastIndexOf('/') + 1)}@${subject}?repository_url=${encodeURIComponent(name)}`
    return { documents, subject: { identifiers: [subject, `${name}@${subject}`, purl] } }
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
