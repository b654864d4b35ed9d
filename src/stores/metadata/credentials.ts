import type { ResourceTag } from '../../domain/repository.ts'
import { openText, sealText } from '../../lib/master-key.ts'
import type { AccessKey, AccessKeyFacts, AccessKeyStatus, CredentialWriter, KeyUse } from '../credentials.ts'
import type { Page } from '../page.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema/database.ts'
import { accessKeyContext, secretContext } from './sealed-columns.ts'
import type { Session } from './session.ts'

const keyRows = (db: Database) =>
  db
    .selectFrom('access_keys as k')
    .leftJoin('iam_entities as u', 'u.id', 'k.user_id')
    .select(['k.access_key_id', 'k.account_id', 'k.principal_arn', 'k.created_at', 'k.user_id', 'k.status'])
    .select(['k.last_used_at', 'k.last_used_region', 'k.last_used_service', 'u.unique_id', 'u.tags'])

const findKey = prepared((db, p: { accessKeyId: string }) =>
  keyRows(db).select('k.secret_access_key').where('k.access_key_id', '=', p.accessKeyId),
)

const listKeys = prepared((db, p: { principalArn: string; after: string; limit: number }) =>
  keyRows(db)
    .where('k.principal_arn', '=', p.principalArn)
    .where('k.access_key_id', '>', p.after)
    .orderBy('k.access_key_id')
    .limit(p.limit),
)

/** Access keys that were issued here, and the installation's secrets: sealed where they lie. */
export class Credentials implements CredentialWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findAccessKey(accessKeyId: string): Promise<AccessKey | undefined> {
    const { rows } = await findKey(this.#session.db, { accessKeyId })
    const row = rows[0]
    if (row === undefined) return undefined
    const context = accessKeyContext(row.access_key_id)
    return { ...toFacts(row), secretAccessKey: openText(this.#session.sealer, row.secret_access_key, context) }
  }

  async listAccessKeys(principalArn: string, { after = '', limit }: Page<string>): Promise<readonly AccessKeyFacts[]> {
    const { rows } = await listKeys(this.#session.db, { principalArn, after, limit })
    return rows.map(toFacts)
  }

  async countAccessKeys(): Promise<number> {
    const { count } = await this.#session.db
      .selectFrom('access_keys')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  async listRootKeys(): Promise<readonly AccessKeyFacts[]> {
    const rows = await keyRows(this.#session.db)
      .where('k.principal_arn', 'like', '%:root')
      .orderBy('k.account_id')
      .orderBy('k.access_key_id')
      .execute()
    return rows.map(toFacts)
  }

  async findSecret(name: string): Promise<Uint8Array | undefined> {
    const row = await this.#session.db.selectFrom('secrets').select('value').where('name', '=', name).executeTakeFirst()
    return row && this.#session.sealer.open(row.value, secretContext(name))
  }

  async putAccessKey(key: Omit<AccessKey, 'lastUsed'>): Promise<void> {
    this.#session.notePolicyChange()
    const values = {
      secret_access_key: sealText(this.#session.sealer, key.secretAccessKey, accessKeyContext(key.accessKeyId)),
      account_id: key.accountId,
      principal_arn: key.principalArn,
      created_at: key.createdAt.getTime(),
      user_id: key.user?.id ?? null,
      status: key.status,
    }
    await this.#session.db
      .insertInto('access_keys')
      .values({ access_key_id: key.accessKeyId, ...values })
      .onConflict((conflict) => conflict.column('access_key_id').doUpdateSet(values))
      .execute()
  }

  async setAccessKeyStatus(accessKeyId: string, status: AccessKeyStatus): Promise<void> {
    this.#session.notePolicyChange()
    const { db } = this.#session
    await db.updateTable('access_keys').set({ status }).where('access_key_id', '=', accessKeyId).execute()
  }

  async deleteAccessKey(accessKeyId: string): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db.deleteFrom('access_keys').where('access_key_id', '=', accessKeyId).execute()
  }

  async renamePrincipal(userId: number, principalArn: string): Promise<void> {
    this.#session.notePolicyChange()
    const { db } = this.#session
    await db.updateTable('access_keys').set({ principal_arn: principalArn }).where('user_id', '=', userId).execute()
  }

  async recordKeyUses(uses: ReadonlyMap<string, KeyUse>): Promise<void> {
    for (const [accessKeyId, { at, region, service }] of uses)
      await this.#session.db
        .updateTable('access_keys')
        .set({ last_used_at: at.getTime(), last_used_region: region, last_used_service: service })
        .where('access_key_id', '=', accessKeyId)
        .execute()
  }

  async deleteOtherAccessKeys(principalArn: string, keptAccessKeyId: string): Promise<void> {
    this.#session.notePolicyChange()
    await this.#session.db
      .deleteFrom('access_keys')
      .where('principal_arn', '=', principalArn)
      .where('access_key_id', '!=', keptAccessKeyId)
      .execute()
  }

  async keepSecret(name: string, secret: Uint8Array): Promise<Uint8Array> {
    await this.#session.db
      .insertInto('secrets')
      .values({ name, value: this.#session.sealer.seal(secret, secretContext(name)) })
      .onConflict((conflict) => conflict.column('name').doNothing())
      .execute()
    const { value } = await this.#session.db
      .selectFrom('secrets')
      .select('value')
      .where('name', '=', name)
      .executeTakeFirstOrThrow()
    return this.#session.sealer.open(value, secretContext(name))
  }
}

type KeyRow = Awaited<ReturnType<typeof listKeys>>['rows'][number]

function toFacts(row: KeyRow): AccessKeyFacts {
  const { user_id, unique_id, tags, last_used_at: usedAt, last_used_region: region, last_used_service: service } = row
  return {
    accessKeyId: row.access_key_id,
    accountId: row.account_id,
    principalArn: row.principal_arn,
    createdAt: new Date(row.created_at),
    status: row.status as AccessKeyStatus,
    user:
      user_id === null || unique_id === null
        ? undefined
        : { id: user_id, uniqueId: unique_id, tags: JSON.parse(tags ?? '[]') as ResourceTag[] },
    lastUsed: usedAt === null ? undefined : { at: new Date(usedAt), region: region ?? '', service: service ?? '' },
  }
}
