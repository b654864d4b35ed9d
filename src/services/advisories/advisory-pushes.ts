import { BUNDLE_ARTIFACT_TYPE } from '../../domain/advisories/bundle.ts'
import type { Image } from '../../domain/image.ts'
import type { Manifest } from '../../domain/manifest.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataWriter } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'

/** What a push needs beside `ecr:PutImage`, so that its advisories are imported. */
export const IMPORT_ACTION = 'ecru:ImportAdvisories'

/** What the pusher may do with advisories, asked before the push is stored. */
export interface AdvisoryPushVerdict {
  readonly ref: RepositoryRef
  readonly pushedBy: string
  readonly isAllowed: boolean
}

/**
 * Asks for the import of advisories that are pushed to one repository, which the operator has named. What they say decides
 * what every scan finds, so that a push alone is not enough: the pusher must be permitted to import.
 */
export class AdvisoryPushes {
  readonly #repository: RepositoryRef | undefined
  readonly #access: Access
  readonly #clock: Clock
  readonly #onRequested: () => void

  /** Nothing is imported without a repository. `onRequested` hears of it once the push is committed. */
  constructor(repository: RepositoryRef | undefined, access: Access, clock: Clock, onRequested: () => void) {
    this.#repository = repository
    this.#access = access
    this.#clock = clock
    this.#onRequested = onRequested
  }

  /** `undefined`: the repository is not the one for advisories. */
  async judge(principal: Principal, ref: RepositoryRef): Promise<AdvisoryPushVerdict | undefined> {
    if (this.#repository === undefined || !Bun.deepEquals(refOf(ref), refOf(this.#repository))) return undefined
    return { ref, pushedBy: principal.arn, isAllowed: await this.#access.permits(principal, IMPORT_ACTION, ref) }
  }

  /** Records, in the push's own transaction, that its advisories are to be imported; answers whether they are. */
  async request(
    tx: MetadataWriter,
    { digest }: Pick<Image, 'digest'>,
    { artifactType }: Pick<Manifest, 'artifactType'>,
    { ref, pushedBy, isAllowed }: AdvisoryPushVerdict,
  ): Promise<boolean> {
    if (artifactType !== BUNDLE_ARTIFACT_TYPE) return false
    const refusal = isAllowed ? undefined : `${pushedBy} may push here, but lacks ${IMPORT_ACTION}.`
    await tx.advisoryPushes.add({ ref, digest, pushedBy, pushedAt: this.#clock.now() }, refusal)
    return isAllowed
  }

  announce(): void {
    this.#onRequested()
  }
}

function refOf({ registry: { registryId, region }, name }: RepositoryRef) {
  return { registryId, region, name }
}
