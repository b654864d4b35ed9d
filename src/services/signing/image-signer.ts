import { createHash } from 'node:crypto'
import { type Digest, parseDigest } from '../../domain/digest.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { signingDenied } from '../../domain/signing/errors.ts'
import { parseProfileFor } from '../../domain/signing/profile.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'
import type { PendingSigning } from '../../stores/signing.ts'
import type { Images } from '../images/images.ts'
import type { Uploads } from '../images/uploads.ts'
import { notationSignature } from './notation-signature.ts'
import type { SigningProfiles } from './signing-profiles.ts'

/** Makes signatures, and pushes them in the pusher's name as any client would. */
export class ImageSigner {
  readonly #profiles: SigningProfiles
  readonly #uploads: Uploads
  readonly #images: Images
  readonly #clock: Clock

  /** `clock` tells the real time, by which signatures are judged elsewhere. */
  constructor(profiles: SigningProfiles, uploads: Uploads, images: Images, clock: Clock) {
    this.#profiles = profiles
    this.#uploads = uploads
    this.#images = images
    this.#clock = clock
  }

  /**
   * Signs an image by one profile. `end` runs in the transaction that stores the signature, which it undoes by throwing.
   * Throws `access-denied`, and all that a push throws.
   */
  async sign(
    { ref, image, profileArn, principal }: PendingSigning,
    end: (tx: MetadataWriter) => Promise<void>,
  ): Promise<void> {
    const profile = parseProfileFor(profileArn, ref.registry)
    if (profile.accountId !== principal.accountId) throw signingDenied(principal, profile)
    const key = await this.#profiles.keyOf(profile)
    const artifact = { mediaType: image.mediaType, digest: image.digest, sizeBytes: image.manifestSizeBytes }
    const signature = await notationSignature(artifact, key, this.#clock.now())
    const manifest = signature.manifest({
      config: await this.#upload(principal, ref, signature.config),
      envelope: await this.#upload(principal, ref, signature.envelope),
    })
    await this.#images.push(principal, ref, { manifest, tags: [] }, end)
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
