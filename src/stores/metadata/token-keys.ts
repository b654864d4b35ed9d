import type { TokenKey, TokenKeyWriter } from '../token-keys.ts'
import { secretContext } from './sealed-columns.ts'
import type { Session } from './session.ts'

/** The keys that sign login tokens, one or two at a time, each sealed among the secrets of the installation. */
export class TokenKeys implements TokenKeyWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  list(): Promise<readonly TokenKey[]> {
    return this.#session.atOnce(async (db) => {
      const rows = await db
        .selectFrom('token_keys')
        .selectAll()
        .orderBy('created_at', 'desc')
        .orderBy('id', 'desc')
        .execute()
      return Promise.all(
        rows.map(async ({ id, created_at }) => {
          const name = secretNameOf(id)
          const { value } = await db
            .selectFrom('secrets')
            .select('value')
            .where('name', '=', name)
            .executeTakeFirstOrThrow()
          return { id, secret: this.#session.sealer.open(value, secretContext(name)), createdAt: new Date(created_at) }
        }),
      )
    })
  }

  async insert({ id, secret, createdAt }: TokenKey): Promise<void> {
    this.#session.notePolicyChange()
    const { db, sealer } = this.#session
    const name = secretNameOf(id)
    await db
      .insertInto('secrets')
      .values({ name, value: sealer.seal(secret, secretContext(name)) })
      .execute()
    await db.insertInto('token_keys').values({ id, created_at: createdAt.getTime() }).execute()
  }

  async delete(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return
    this.#session.notePolicyChange()
    const { db } = this.#session
    await db.deleteFrom('token_keys').where('id', 'in', ids).execute()
    await db.deleteFrom('secrets').where('name', 'in', ids.map(secretNameOf)).execute()
  }
}

/** The first key had no id. */
function secretNameOf(id: string): string {
  return id === '' ? 'token-signing-key' : `token-signing-key ${id}`
}
