import { openText, sealText } from '../../lib/master-key.ts'
import type { AccessKey, CredentialWriter } from '../metadata.ts'
import { prepared } from './prepared.ts'
import { accessKeyContext, secretContext } from './sealed-columns.ts'
import type { Session } from './session.ts'

const findKey = prepared((db, p: { accessKeyId: string }) =>
  db.selectFrom('access_keys').selectAll().where('access_key_id', '=', p.accessKeyId),
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
    return {
      accessKeyId: row.access_key_id,
      secretAccessKey: openText(this.#session.sealer, row.secret_access_key, accessKeyContext(row.access_key_id)),
      accountId: row.account_id,
      principalArn: row.principal_arn,
      createdAt: new Date(row.created_at),
    }
  }

  async countAccessKeys(): Promise<number> {
    const { count } = await this.#session.db
      .selectFrom('access_keys')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    return Number(count)
  }

  async findSecret(name: string): Promise<Uint8Array | undefined> {
    const row = await this.#session.db.selectFrom('secrets').select('value').where('name', '=', name).executeTakeFirst()
    return row && this.#session.sealer.open(row.value, secretContext(name))
  }

  async putAccessKey(key: AccessKey): Promise<void> {
    const values = {
      secret_access_key: sealText(this.#session.sealer, key.secretAccessKey, accessKeyContext(key.accessKeyId)),
      account_id: key.accountId,
      principal_arn: key.principalArn,
      created_at: key.createdAt.getTime(),
    }
    await this.#session.db
      .insertInto('access_keys')
      .values({ access_key_id: key.accessKeyId, ...values })
      .onConflict((conflict) => conflict.column('access_key_id').doUpdateSet(values))
      .execute()
  }

  async deleteOtherAccessKeys(principalArn: string, keptAccessKeyId: string): Promise<void> {
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
