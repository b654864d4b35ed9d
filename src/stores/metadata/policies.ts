import type { Registry, RepositoryRef } from '../../domain/names.ts'
import type { Repository } from '../../domain/repository.ts'
import type { PolicyWriter, RegistryPolicies } from '../policies.ts'
import { prepared } from './prepared.ts'
import { type RefValues, refValues } from './repositories.ts'
import type { Session } from './session.ts'

const ofRegistry = prepared((db, p: { accountId: string; region: string }) =>
  db.selectNoFrom((eb) => [
    eb
      .selectFrom('registry_policies')
      .select('body')
      .where('account_id', '=', p.accountId)
      .where('region', '=', p.region)
      .as('text'),
    eb
      .selectFrom('account_settings')
      .select('value')
      .where('account_id', '=', p.accountId)
      .where('region', '=', p.region)
      .where('name', '=', 'REGISTRY_POLICY_SCOPE')
      .as('scope'),
    eb
      .selectFrom('repository_policies')
      .select('repository_id')
      .where('account_id', '=', p.accountId)
      .where('region', '=', p.region)
      .limit(1)
      .as('example'),
  ]),
)

const ofRepository = prepared((db, p: RefValues) =>
  db
    .selectFrom('repositories as r')
    .innerJoin('repository_policies as p', 'p.repository_id', 'r.id')
    .select('p.body')
    .where('r.account_id', '=', p.accountId)
    .where('r.region', '=', p.region)
    .where('r.name', '=', p.name)
    .where('r.is_deleted', '=', 0),
)

/** Policies of repositories and registries. */
export class Policies implements PolicyWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async ofRegistry({ registryId, region }: Registry): Promise<RegistryPolicies> {
    const { rows } = await ofRegistry(this.#session.db, { accountId: registryId, region })
    const row = rows[0]
    return {
      text: row?.text ?? undefined,
      scope: row?.scope ?? undefined,
      hasRepositoryPolicies: (row?.example ?? null) !== null,
    }
  }

  async ofRepository(ref: RepositoryRef): Promise<string | undefined> {
    const { rows } = await ofRepository(this.#session.db, refValues(ref))
    return rows[0]?.body
  }

  async putOfRepository({ id, registry }: Repository, body: string): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db
      .insertInto('repository_policies')
      .values({ repository_id: id, account_id: registry.registryId, region: registry.region, body })
      .onConflict((conflict) => conflict.column('repository_id').doUpdateSet({ body }))
      .execute()
  }

  async deleteOfRepository(repositoryId: number): Promise<string | undefined> {
    this.#session.notePolicyChange()
    const deleted = await this.#session.db
      .deleteFrom('repository_policies')
      .where('repository_id', '=', repositoryId)
      .returning('body')
      .executeTakeFirst()
    return deleted?.body
  }

  async putOfRegistry({ registryId, region }: Registry, body: string): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db
      .insertInto('registry_policies')
      .values({ account_id: registryId, region, body })
      .onConflict((conflict) => conflict.columns(['account_id', 'region']).doUpdateSet({ body }))
      .execute()
  }

  async deleteOfRegistry({ registryId, region }: Registry): Promise<string | undefined> {
    this.#session.notePolicyChange()
    const deleted = await this.#session.db
      .deleteFrom('registry_policies')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .returning('body')
      .executeTakeFirst()
    return deleted?.body
  }
}
