import { limitExceeded } from '../../domain/errors.ts'
import { exclusionExists, exclusionNotFound } from '../../domain/exclusion-errors.ts'
import type { Registry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import { EXCLUSIONS_MAX, type PullTimes } from './pulls.ts'

/** Principals, such as scanners, whose pulls leave the pull time of images as it was. */
export class PullTimeExclusions {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #clock: Clock
  readonly #pulls: PullTimes

  constructor(metadata: MetadataStore, access: Access, clock: Clock, pulls: PullTimes) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
    this.#pulls = pulls
  }

  /** Holds for later pulls; answers since when. Throws `exclusion-exists`, `limit-exceeded`. */
  async register(principal: Principal, registry: Registry, principalArn: string): Promise<Date> {
    await this.#access.authorize(principal, 'ecr:RegisterPullTimeUpdateExclusion', registry)
    // Earlier pulls still count.
    await this.#pulls.flush()
    const createdAt = this.#clock.now()
    await this.#metadata.transact(async ({ accounts }) => {
      const { length } = await accounts.listPullTimeExclusions(registry, { limit: EXCLUSIONS_MAX })
      if (!(await accounts.insertPullTimeExclusion(registry, principalArn, createdAt)))
        throw exclusionExists(principalArn)
      if (length >= EXCLUSIONS_MAX) throw limitExceeded(EXCLUSIONS_MAX, 'pull time update exclusions per registry')
    })
    return createdAt
  }

  /** Throws `exclusion-not-found`. */
  async deregister(principal: Principal, registry: Registry, principalArn: string): Promise<void> {
    await this.#access.authorize(principal, 'ecr:DeregisterPullTimeUpdateExclusion', registry)
    await this.#pulls.flush()
    await this.#metadata.transact(async ({ accounts }) => {
      if (!(await accounts.deletePullTimeExclusion(registry, principalArn))) throw exclusionNotFound(principalArn)
    })
  }

  /** One page of the excluded principals by ARN. */
  async list(principal: Principal, registry: Registry, paging: Paging): Promise<PageOf<string>> {
    await this.#access.authorize(principal, 'ecr:ListPullTimeUpdateExclusions', registry)
    const page = { after: pageAfter(paging), limit: paging.limit + 1 }
    const rows = await this.#metadata.view.accounts.listPullTimeExclusions(registry, page)
    return pageOf(rows, paging.limit, (arn) => arn)
  }
}
