import { createHash } from 'node:crypto'
import { accessKeyIdOf } from '../../domain/access-key-id.ts'
import type { Principal, Session } from '../../domain/principal.ts'
import { NOWHERE } from '../../domain/principal.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { SessionRecord } from '../../stores/sessions.ts'
import { TOKEN_LIFETIME_MS } from './tokens.ts'

/** Who is to act in a session, and in what kind of session. */
export interface NewSession extends Pick<SessionRecord, 'identityId' | 'parentKeyId' | 'transitiveTagKeys'> {
  /** Its `tags` are those of the session alone. */
  readonly principal: Omit<Principal, 'accessKeyId' | 'circumstances' | 'session'>
  readonly session: Omit<Session, 'issuedAt' | 'expiresAt'>
  readonly durationSeconds: number
}

/** What a client needs to act in a session. The only place where the session token is. */
export interface TemporaryCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiresAt: Date
}

/** Ended sessions that one new session clears away. */
const CLEARED_AT_ONCE = 100

/**
 * Sessions with temporary credentials. Each is a record, which survives a restart and can be revoked at once; it outlives the
 * session by the life of a login token that may have been made in it.
 */
export class Sessions {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(metadata: MetadataStore, clock: Clock, ids: Ids) {
    this.#metadata = metadata
    this.#clock = clock
    this.#ids = ids
  }

  async issue({ principal, session, durationSeconds, ...bound }: NewSession): Promise<TemporaryCredentials> {
    const issuedAt = this.#clock.now()
    const expiresAt = new Date(Math.floor(issuedAt.getTime() / 1000 + durationSeconds) * 1000)
    const accessKeyId = accessKeyIdOf('ASIA', principal.accountId, this.#ids.secret(5))
    const secretAccessKey = Buffer.from(this.#ids.secret(30)).toString('base64')
    const sessionToken = Buffer.from(this.#ids.secret(192)).toString('base64')
    const record: SessionRecord = {
      ...bound,
      accessKeyId,
      secretAccessKey,
      tokenHash: createHash('sha256').update(sessionToken).digest('hex'),
      principal: { ...principal, accessKeyId, circumstances: NOWHERE, session: { ...session, issuedAt, expiresAt } },
    }
    await this.#metadata.transact(async (tx) => {
      await tx.sessions.deleteEnded(new Date(issuedAt.getTime() - TOKEN_LIFETIME_MS), CLEARED_AT_ONCE)
      await tx.sessions.insert(record)
    })
    return { accessKeyId, secretAccessKey, sessionToken, expiresAt }
  }

  /** The session of temporary credentials; `undefined` for long-lived ones. */
  async find(accessKeyId: string): Promise<SessionRecord | undefined> {
    return this.#metadata.view.sessions.find(accessKeyId)
  }

  /** Ends the sessions of a role, a user or a root that began before a moment, with their login tokens; answers how many. */
  async revoke(identityArn: string, issuedBefore: Date): Promise<number> {
    return this.#metadata.transact((tx) => tx.sessions.revoke(identityArn, issuedBefore))
  }
}
