import type { StoredIdentity } from '../iam.ts'
import { toEntity } from './iam-rows.ts'
import { prepared } from './prepared.ts'
import type { Database } from './schema/database.ts'

const findEntity = prepared((db, p: { uniqueId: string }) =>
  db.selectFrom('iam_entities').selectAll().where('unique_id', '=', p.uniqueId),
)

const inlineOf = prepared((db, p: { entityId: number }) =>
  db
    .selectFrom('iam_inline_policies')
    .select(['name', 'body as text'])
    .where('entity_id', '=', p.entityId)
    .unionAll(
      db
        .selectFrom('iam_members as m')
        .innerJoin('iam_inline_policies as p', 'p.entity_id', 'm.group_id')
        .select(['p.name', 'p.body as text'])
        .where('m.user_id', '=', p.entityId),
    ),
)

const attachedTo = prepared((db, p: { entityId: number }) =>
  db
    .selectFrom('iam_attachments')
    .select('policy_arn')
    .where('entity_id', '=', p.entityId)
    .unionAll(
      db
        .selectFrom('iam_members as m')
        .innerJoin('iam_attachments as a', 'a.entity_id', 'm.group_id')
        .select('a.policy_arn')
        .where('m.user_id', '=', p.entityId),
    ),
)

/** All that an identity's policies hang on, in three looks that see one state. */
export async function findIdentity(db: Database, uniqueId: string): Promise<StoredIdentity | undefined> {
  const { rows } = await findEntity(db, { uniqueId })
  const [row] = rows
  if (row === undefined || (row.kind !== 'user' && row.kind !== 'role')) return undefined
  const entity = toEntity<'user' | 'role'>(row)
  const inline = await inlineOf(db, { entityId: entity.id })
  const attached = await attachedTo(db, { entityId: entity.id })
  const attachedArns = [...new Set(attached.rows.map(({ policy_arn }) => policy_arn))]
  return { entity, inline: inline.rows, attachedArns }
}
