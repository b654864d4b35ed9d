import type { Suppression } from '../../domain/advisories/suppressions.ts'
import type { Registry } from '../../domain/names.ts'
import type { SuppressionWriter } from '../package-index.ts'
import type { FindingSuppressionsTable } from './schema/package-index.ts'
import type { Session } from './session.ts'

/** The rules that set findings aside, over one session. */
export class Suppressions implements SuppressionWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async list({ registryId, region }: Registry): Promise<readonly Suppression[]> {
    const rows = await this.#session.db
      .selectFrom('finding_suppressions')
      .selectAll()
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .orderBy('id')
      .execute()
    return rows.map(toSuppression)
  }

  async put({ registryId, region }: Registry, suppression: Suppression): Promise<void> {
    // What may be pulled can depend on it.
    this.#session.notePolicyChange()
    const { id } = suppression
    const values = {
      vulnerability: suppression.vulnerability,
      repository_name: suppression.repositoryName ?? null,
      package_name: suppression.packageName ?? null,
      reason: suppression.reason,
      created_by: suppression.createdBy,
      created_at: suppression.createdAt.getTime(),
      expires_at: suppression.expiresAt?.getTime() ?? null,
    }
    await this.#session.db
      .insertInto('finding_suppressions')
      .values({ account_id: registryId, region, id, ...values })
      .onConflict((conflict) => conflict.columns(['account_id', 'region', 'id']).doUpdateSet(values))
      .execute()
  }

  async delete({ registryId, region }: Registry, id: string): Promise<boolean> {
    this.#session.notePolicyChange()
    const row = await this.#session.db
      .deleteFrom('finding_suppressions')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('id', '=', id)
      .returning('id')
      .executeTakeFirst()
    return row !== undefined
  }
}

function toSuppression(row: FindingSuppressionsTable): Suppression {
  return {
    id: row.id,
    vulnerability: row.vulnerability,
    repositoryName: row.repository_name ?? undefined,
    packageName: row.package_name ?? undefined,
    reason: row.reason,
    createdBy: row.created_by,
    createdAt: new Date(row.created_at),
    expiresAt: row.expires_at === null ? undefined : new Date(row.expires_at),
  }
}
