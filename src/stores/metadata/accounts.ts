import type { Registry } from '../../domain/names.ts'
import type { AccountWriter } from '../accounts.ts'
import type { Page } from '../metadata.ts'
import { prepared } from './prepared.ts'
import type { Session } from './session.ts'

interface RegistryValues {
  readonly accountId: string
  readonly region: string
}

const findSetting = prepared((db, p: RegistryValues & { name: string }) =>
  db
    .selectFrom('account_settings')
    .select('value')
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region)
    .where('name', '=', p.name),
)

const putSetting = prepared((db, p: RegistryValues & { name: string; value: string }) =>
  db
    .insertInto('account_settings')
    .values({ account_id: p.accountId, region: p.region, name: p.name, value: p.value })
    .onConflict((conflict) => conflict.columns(['account_id', 'region', 'name']).doUpdateSet({ value: p.value })),
)

const exclusionPage = prepared((db, p: RegistryValues & { after: string; limit: number }) =>
  db
    .selectFrom('pull_time_exclusions')
    .select('principal_arn')
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region)
    .where('principal_arn', '>', p.after)
    .orderBy('principal_arn')
    .limit(p.limit),
)

const insertExclusion = prepared((db, p: RegistryValues & { principalArn: string; at: number }) =>
  db
    .insertInto('pull_time_exclusions')
    .values({ account_id: p.accountId, region: p.region, principal_arn: p.principalArn, created_at: p.at })
    .onConflict((conflict) => conflict.columns(['account_id', 'region', 'principal_arn']).doNothing())
    .returning('principal_arn'),
)

const deleteExclusion = prepared((db, p: RegistryValues & { principalArn: string }) =>
  db
    .deleteFrom('pull_time_exclusions')
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region)
    .where('principal_arn', '=', p.principalArn)
    .returning('principal_arn'),
)

/** Settings and pull-time exclusions of accounts. */
export class Accounts implements AccountWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findSetting(registry: Registry, name: string): Promise<string | undefined> {
    const { rows } = await findSetting(this.#session.db, { ...registryValues(registry), name })
    return rows[0]?.value
  }

  async putSetting(registry: Registry, name: string, value: string): Promise<void> {
    // REGISTRY_POLICY_SCOPE says what the registry's policy may rule.
    this.#session.notePolicyChange()
    await putSetting(this.#session.db, { ...registryValues(registry), name, value })
  }

  async listPullTimeExclusions(registry: Registry, { after = '', limit }: Page<string>): Promise<readonly string[]> {
    const { rows } = await exclusionPage(this.#session.db, { ...registryValues(registry), after, limit })
    return rows.map((row) => row.principal_arn)
  }

  async insertPullTimeExclusion(registry: Registry, principalArn: string, at: Date): Promise<boolean> {
    const values = { ...registryValues(registry), principalArn, at: at.getTime() }
    return (await insertExclusion(this.#session.db, values)).rows.length > 0
  }

  async deletePullTimeExclusion(registry: Registry, principalArn: string): Promise<boolean> {
    const { rows } = await deleteExclusion(this.#session.db, { ...registryValues(registry), principalArn })
    return rows.length > 0
  }
}

function registryValues({ registryId, region }: Registry): RegistryValues {
  return { accountId: registryId, region }
}
