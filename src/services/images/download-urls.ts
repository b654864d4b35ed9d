import { type Digest, tryParseDigest } from '../../domain/digest.ts'
import { isRegistryError, tokenExpired, tokenInvalid } from '../../domain/errors.ts'
import { isRegion, isRegistryId, isRepositoryName, type RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { printPrincipal, readPrincipal } from '../../domain/principal-record.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import { Once } from '../../lib/once.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { secretOf } from '../secret-of.ts'

/** How long a download URL works: an hour, as ECR's. */
export const DOWNLOAD_URL_LIFETIME_MS = 3600 * 1000

const AUDIENCE = 'layer-download'

/** What a ticket opens: one layer of one repository. */
export interface DownloadTicket {
  /** Who asked for it: it opens no more than he may. */
  readonly principal: Principal
  readonly ref: RepositoryRef
  readonly digest: Digest
}

/** Tickets of the URLs that GetDownloadUrlForLayer hands out: whoever holds one may read that layer until it expires. */
export class DownloadTickets {
  readonly #clock: Clock
  readonly #key: Once<Uint8Array>

  constructor(metadata: MetadataStore, clock: Clock, ids: Ids) {
    this.#clock = clock
    this.#key = new Once(() => secretOf(metadata, 'download-ticket-key', ids))
  }

  async issue({ principal, ref, digest }: DownloadTicket): Promise<string> {
    const now = Math.floor(this.#clock.now().getTime() / 1000)
    const { registryId, region } = ref.registry
    const { SignJWT } = await import('jose')
    return new SignJWT({ acct: registryId, reg: region, repo: ref.name, dig: digest, who: printPrincipal(principal) })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setAudience(AUDIENCE)
      .setExpirationTime(now + DOWNLOAD_URL_LIFETIME_MS / 1000)
      .sign(await this.#key.get())
  }

  /** Throws `token-invalid`, `token-expired`. */
  async verify(ticket: string): Promise<DownloadTicket> {
    // Before: a key that cannot be read says nothing of the ticket.
    const key = await this.#key.get()
    const { jwtVerify } = await import('jose')
    try {
      const { payload } = await jwtVerify(ticket, key, {
        algorithms: ['HS256'],
        audience: AUDIENCE,
        requiredClaims: ['exp'],
        currentDate: this.#clock.now(),
      })
      const { acct, reg, repo, dig, who } = payload
      const digest = typeof dig === 'string' ? tryParseDigest(dig) : undefined
      if (typeof acct !== 'string' || typeof reg !== 'string' || typeof repo !== 'string' || typeof who !== 'string')
        throw tokenInvalid()
      if (!isRegistryId(acct) || !isRegion(reg) || !isRepositoryName(repo) || digest === undefined) throw tokenInvalid()
      const ref = { registry: { registryId: acct, region: reg }, name: repo }
      return { principal: readPrincipal(who), ref, digest }
    } catch (thrown) {
      if (isRegistryError(thrown)) throw thrown
      throw thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_JWT_EXPIRED'
        ? tokenExpired()
        : tokenInvalid()
    }
  }
}
