import { createHash } from 'node:crypto'
import { type Digest, parseDigest } from '../../domain/digest.ts'
import type { Image } from '../../domain/image.ts'
import { MEDIA_TYPE } from '../../domain/manifest.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Images } from './images.ts'
import type { Uploads } from './uploads.ts'

/** A document that is to be attached to an image. */
export interface NewAttachment {
  /** Also the media type of the document. */
  readonly artifactType: string
  readonly bytes: Uint8Array
  readonly annotations: Readonly<Record<string, string>>
}

/** OCI's config of what needs none. */
const EMPTY = new TextEncoder().encode('{}')

/** Attaches documents to images: as artifacts whose subject is the image, pushed as any client would. */
export class Attachments {
  readonly #uploads: Uploads
  readonly #images: Images

  constructor(uploads: Uploads, images: Images) {
    this.#uploads = uploads
    this.#images = images
  }

  /** Answers the digest of the artifact. Throws what a push throws. */
  async attach(
    principal: Principal,
    ref: RepositoryRef,
    subject: Pick<Image, 'mediaType' | 'digest' | 'manifestSizeBytes'>,
    { artifactType, bytes, annotations }: NewAttachment,
  ): Promise<Digest> {
    const config = await this.#upload(principal, ref, EMPTY)
    const layer = await this.#upload(principal, ref, bytes)
    const manifest = {
      schemaVersion: 2,
      mediaType: MEDIA_TYPE.ociManifest,
      artifactType,
      config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: EMPTY.byteLength },
      layers: [{ mediaType: artifactType, digest: layer, size: bytes.byteLength }],
      subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.manifestSizeBytes },
      annotations,
    }
    const push = { manifest: new TextEncoder().encode(JSON.stringify(manifest)), tags: [] }
    return (await this.#images.push(principal, ref, push)).image.digest
  }

  async #upload(principal: Principal, ref: RepositoryRef, bytes: Uint8Array): Promise<Digest> {
    const digest = parseDigest(`sha256:${createHash('sha256').update(bytes).digest('hex')}`)
    const uploadId = await this.#uploads.start(principal, ref)
    await this.#uploads.complete(principal, ref, uploadId, digest, {
      place: { earlierPartBytesMin: 0 },
      body: once(bytes),
    })
    return digest
  }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield new Uint8Array(bytes)
}
