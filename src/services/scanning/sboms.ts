import { createHash } from 'node:crypto'
import type { Digest } from '../../domain/digest.ts'
import type { Image, ImageReference } from '../../domain/image.ts'
import type { Manifest } from '../../domain/manifest.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { writeCycloneDx } from '../../domain/sbom/cyclonedx.ts'
import { type SbomFormat, type SbomSubject, sbomContent, sbomMediaType } from '../../domain/sbom/sbom.ts'
import { writeSpdx } from '../../domain/sbom/spdx.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Attachments } from '../images/attachments.ts'
import type { ImageContents } from '../images/image-contents.ts'

/** Which image, and how what is in it is to be written down. */
export interface SbomRequest {
  readonly ref: RepositoryRef
  readonly reference: ImageReference
  readonly format: SbomFormat
  /** Of an index: which of its images. */
  readonly platform?: string | undefined
}

export interface Sbom {
  /** The image that it describes. */
  readonly digest: Digest
  readonly platform?: string | undefined
  readonly document: object
}

export interface AttachedSbom extends Omit<Sbom, 'document'> {
  /** Of the artifact that holds it. */
  readonly artifactDigest: Digest
  readonly artifactType: string
  /** False: the same document was there. */
  readonly isNew: boolean
}

export interface SbomSettings {
  /** Of Ecru. */
  readonly version: string
  /** How people name a repository. */
  nameOf(ref: RepositoryRef): string
}

/** Says of what it is that two documents of the same kind describe the same. */
const SERIAL = 'io.ecru.sbom.serial'
const REFERRERS_MAX = 1_000

/** Writes down what is in images, for whoever has to account for it. Who may ask is decided outside. */
export class Sboms {
  readonly #metadata: MetadataStore
  readonly #contents: ImageContents
  readonly #attachments: Attachments
  readonly #clock: Clock
  readonly #settings: SbomSettings

  constructor(
    metadata: MetadataStore,
    contents: ImageContents,
    attachments: Attachments,
    clock: Clock,
    settings: SbomSettings,
  ) {
    this.#metadata = metadata
    this.#contents = contents
    this.#attachments = attachments
    this.#clock = clock
    this.#settings = settings
  }

  /** Throws what finding the image and reading its layers throw. */
  async write(request: SbomRequest, signal: AbortSignal): Promise<Sbom> {
    const { digest, platform, document } = await this.#make(request, signal)
    return { digest, platform, document }
  }

  /** Attaches it to the image, once: the same document again changes nothing. Throws also what a push throws. */
  async attach(principal: Principal, request: SbomRequest, signal: AbortSignal): Promise<AttachedSbom> {
    const { digest, platform, document, subject, image, repositoryId } = await this.#make(request, signal)
    const artifactType = sbomMediaType(request.format)
    const filter = { artifactTypes: [artifactType], status: 'ACTIVE' } as const
    const page = { limit: REFERRERS_MAX }
    const referrers = await this.#metadata.view.images.listReferrers(repositoryId, digest, filter, page)
    for (const referrer of referrers) {
      // Listings do not have those of a repository that is encrypted.
      const { annotations } = referrer.annotations === undefined ? await this.#manifestOf(request, referrer) : referrer
      if (annotations?.[SERIAL] === subject.serial)
        return { digest, platform, artifactType, artifactDigest: referrer.digest, isNew: false }
    }
    const annotations = {
      'org.opencontainers.image.created': subject.createdAt.toISOString(),
      [SERIAL]: subject.serial,
    }
    const bytes = new TextEncoder().encode(JSON.stringify(document))
    const attachment = { artifactType, bytes, annotations }
    const artifactDigest = await this.#attachments.attach(principal, request.ref, image, attachment)
    return { digest, platform, artifactType, artifactDigest, isNew: true }
  }

  async #manifestOf({ ref }: SbomRequest, { digest }: Image): Promise<Manifest> {
    return (await this.#contents.open(ref, { digest })).manifest
  }

  async #make({ ref, reference, format, platform: wanted }: SbomRequest, signal: AbortSignal) {
    const found = await this.#contents.container(ref, reference, wanted)
    const inventory = await this.#contents.inventoryOf(found, signal)
    const { image, platform, repository } = found
    const { digest } = image
    const facts = {
      repository: this.#settings.nameOf(ref),
      digest,
      platform,
      createdAt: this.#clock.now(),
      toolVersion: this.#settings.version,
    }
    const serial = uuidOf(sbomContent(format, { ...facts, serial: '' }, inventory))
    const subject: SbomSubject = { ...facts, serial }
    const document =
      format === 'spdx-2.3'
        ? writeSpdx(subject, inventory)
        : writeCycloneDx(format === 'cyclonedx-1.5' ? '1.5' : '1.6', subject, inventory)
    return { digest, platform, document, subject, image, repositoryId: repository.id }
  }
}

/** A UUID that follows from a text (version 8 of RFC 9562). */
function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
