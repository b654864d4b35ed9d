import type { Region, RegistryId } from '../../domain/names.ts'
import type { Page } from '../page.ts'
import type { RobotToken, RobotTokenWriter } from '../robot-tokens.ts'
import { prepared } from './prepared.ts'
import type { RobotTokensTable } from './schema/robot-tokens.ts'
import type { Session } from './session.ts'

const findToken = prepared((db, p: { id: string }) => db.selectFrom('robot_tokens').selectAll().where('id', '=', p.id))

/** The tokens of robots. */
export class RobotTokens implements RobotTokenWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find(id: string): Promise<RobotToken | undefined> {
    const { rows } = await findToken(this.#session.db, { id })
    const row = rows[0]
    return row === undefined ? undefined : tokenOf(row)
  }

  async list({ after = '', limit }: Page<string>): Promise<readonly RobotToken[]> {
    const rows = await this.#session.db
      .selectFrom('robot_tokens')
      .selectAll()
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .execute()
    return rows.map(tokenOf)
  }

  async insert(token: RobotToken): Promise<void> {
    await this.#session.db
      .insertInto('robot_tokens')
      .values({
        id: token.id,
        secret_hash: token.secretHash,
        account_id: token.accountId,
        region: token.region,
        user_arn: token.userArn,
        user_id: token.userId,
        repositories: JSON.stringify(token.repositories),
        actions: JSON.stringify(token.actions),
        created_at: token.createdAt.getTime(),
        expires_at: token.expiresAt.getTime(),
      })
      .execute()
  }

  async delete(id: string): Promise<boolean> {
    this.#session.notePolicyChange()
    const { numDeletedRows } = await this.#session.db.deleteFrom('robot_tokens').where('id', '=', id).executeTakeFirst()
    return numDeletedRows > 0n
  }

  async deleteEnded(before: Date): Promise<number> {
    const { numDeletedRows } = await this.#session.db
      .deleteFrom('robot_tokens')
      .where('expires_at', '<', before.getTime())
      .executeTakeFirst()
    return Number(numDeletedRows)
  }
}

function tokenOf(row: RobotTokensTable): RobotToken {
  return {
    id: row.id,
    secretHash: row.secret_hash,
    accountId: row.account_id as RegistryId,
    region: row.region as Region,
    userArn: row.user_arn,
    userId: row.user_id,
    repositories: JSON.parse(row.repositories) as RobotToken['repositories'],
    actions: JSON.parse(row.actions) as RobotToken['actions'],
    createdAt: new Date(row.created_at),
    expiresAt: new Date(row.expires_at),
  }
}
