import type { Image } from '../../domain/image.ts'
import type { Manifest } from '../../domain/manifest.ts'
import type { Tag } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Repository } from '../../domain/repository.ts'
import { profilesFor } from '../../domain/signing/configuration.ts'
import { isContainerImage } from '../../domain/signing/container-image.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'

/** What has just been pushed. */
export interface SignablePush {
  readonly repository: Repository
  readonly image: Image
  readonly manifest: Manifest
  readonly tags: readonly Tag[]
}

/** Asks for the signatures of what is pushed; they are made after the push, which waits for none of them. */
export class PushSigning {
  readonly #onRequested: () => void

  /** `onRequested` hears of it once the push is committed. */
  constructor(onRequested: () => void) {
    this.#onRequested = onRequested
  }

  /** Records, in the push's own transaction, which signatures are to be made; answers whether there are any. */
  async request(tx: MetadataWriter, principal: Principal, push: SignablePush): Promise<boolean> {
    const { repository, image, manifest, tags } = push
    if (!isContainerImage(manifest, tags)) return false
    const configuration = await tx.signings.findConfiguration(repository.registry)
    if (configuration === undefined) return false
    const profiles = profilesFor(configuration, repository.name)
    return profiles.length > 0 && (await tx.signings.request(image, profiles, principal)) > 0
  }

  announce(): void {
    this.#onRequested()
  }
}
