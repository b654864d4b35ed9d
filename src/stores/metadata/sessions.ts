import { printPrincipal, readPrincipal } from '../../domain/principal-record.ts'
import { openText, sealText } from '../../lib/master-key.ts'
import type { SessionRecord, SessionWriter } from '../sessions.ts'
import { prepared } from './prepared.ts'
import { sessionContext } from './sealed-columns.ts'
import type { Session } from './session.ts'

const findSession = prepared((db, p: { accessKeyId: string }) =>
  db.selectFrom('sessions').selectAll().where('access_key_id', '=', p.accessKeyId),
)

/** Temporary credentials and their principals. */
export class Sessions implements SessionWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find(accessKeyId: string): Promise<SessionRecord | undefined> {
    const { rows } = await findSession(this.#session.db, { accessKeyId })
    const row = rows[0]
    if (row === undefined) return undefined
    return {
      accessKeyId: row.access_key_id,
      secretAccessKey: openText(this.#session.sealer, row.secret_access_key, sessionContext(row.access_key_id)),
      tokenHash: row.token_hash,
      principal: readPrincipal(row.principal),
      identityId: row.identity_id,
      parentKeyId: row.parent_key_id ?? undefined,
      transitiveTagKeys: JSON.parse(row.transitive_tag_keys) as readonly string[],
    }
  }

  async insert({ principal, ...record }: SessionRecord): Promise<void> {
    const { session } = principal
    if (session === undefined) throw new Error('Temporary credentials are those of a session')
    await this.#session.db
      .insertInto('sessions')
      .values({
        access_key_id: record.accessKeyId,
        secret_access_key: sealText(this.#session.sealer, record.secretAccessKey, sessionContext(record.accessKeyId)),
        token_hash: record.tokenHash,
        principal: printPrincipal(principal),
        identity_arn: principal.identityArn,
        identity_id: record.identityId,
        parent_key_id: record.parentKeyId ?? null,
        transitive_tag_keys: JSON.stringify(record.transitiveTagKeys),
        issued_at: session.issuedAt.getTime(),
        expires_at: session.expiresAt.getTime(),
      })
      .execute()
  }

  async revoke(identityArn: string, issuedBefore: Date): Promise<number> {
    this.#session.notePolicyChange()
    const { numDeletedRows } = await this.#session.db
      .deleteFrom('sessions')
      .where('identity_arn', '=', identityArn)
      .where('issued_at', '<', issuedBefore.getTime())
      .executeTakeFirst()
    return Number(numDeletedRows)
  }

  async deleteEnded(before: Date, limit: number): Promise<number> {
    const ended = this.#session.db
      .selectFrom('sessions')
      .select('access_key_id')
      .where('expires_at', '<', before.getTime())
      .limit(limit)
    const { numDeletedRows } = await this.#session.db
      .deleteFrom('sessions')
      .where('access_key_id', 'in', ended)
      .executeTakeFirst()
    return Number(numDeletedRows)
  }
}
