import type { AdmissionRule } from '../../domain/admission/rule.ts'
import type { Registry } from '../../domain/names.ts'
import type { AdmissionWriter } from '../admission.ts'
import type { Session } from './session.ts'

/** Rules of admission over one session. */
export class Admission implements AdmissionWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async list({ registryId, region }: Registry): Promise<readonly AdmissionRule[]> {
    const rows = await this.#session.db
      .selectFrom('admission_rules')
      .select('body')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .orderBy('repositories')
      .execute()
    return rows.map(({ body }) => JSON.parse(body, revive) as AdmissionRule)
  }

  async put({ registryId, region }: Registry, rule: AdmissionRule): Promise<void> {
    this.#session.notePolicyChange()
    const body = JSON.stringify(rule)
    await this.#session.db
      .insertInto('admission_rules')
      .values({ account_id: registryId, region, repositories: rule.repositories, body })
      .onConflict((conflict) => conflict.columns(['account_id', 'region', 'repositories']).doUpdateSet({ body }))
      .execute()
  }

  async delete({ registryId, region }: Registry, repositories: string): Promise<boolean> {
    this.#session.notePolicyChange()
    const row = await this.#session.db
      .deleteFrom('admission_rules')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .where('repositories', '=', repositories)
      .returning('repositories')
      .executeTakeFirst()
    return row !== undefined
  }
}

function revive(key: string, value: unknown): unknown {
  return (key === 'until' || key === 'changedAt') && typeof value === 'string' ? new Date(value) : value
}
