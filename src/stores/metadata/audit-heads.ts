import type { AuditHead, AuditHeadWriter } from '../audit.ts'
import type { Session } from './session.ts'

const LOG = 'audit'

/** How far the audit log has come. */
export class AuditHeads implements AuditHeadWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find(): Promise<AuditHead | undefined> {
    const row = await this.#session.db
      .selectFrom('audit_heads')
      .select(['sequence', 'mac'])
      .where('log', '=', LOG)
      .executeTakeFirst()
    return row
  }

  async put({ sequence, mac }: AuditHead): Promise<void> {
    await this.#session.db
      .insertInto('audit_heads')
      .values({ log: LOG, sequence, mac })
      .onConflict((conflict) => conflict.column('log').doUpdateSet({ sequence, mac }))
      .execute()
  }
}
