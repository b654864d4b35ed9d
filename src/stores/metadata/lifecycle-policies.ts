import type { Selectable } from 'kysely'
import type { LifecycleRun } from '../../domain/lifecycle/run.ts'
import type { LifecyclePolicy, PlacedLifecyclePolicy } from '../lifecycle.ts'
import { prepared } from './prepared.ts'
import { repositoryColumns, toRepository } from './repositories.ts'
import type { Database } from './schema/database.ts'
import type { LifecyclePoliciesTable } from './schema/lifecycle-policies.ts'

const policyColumns = [
  'repository_id',
  'policy_id',
  'text',
  'put_at',
  'last_evaluated_at',
  'last_run',
] as const satisfies readonly (keyof LifecyclePoliciesTable)[]

type PolicyRow = Pick<Selectable<LifecyclePoliciesTable>, (typeof policyColumns)[number]>

const findByRepository = prepared((db, p: { repositoryId: number }) =>
  db.selectFrom('lifecycle_policies').select(policyColumns).where('repository_id', '=', p.repositoryId),
)

const placed = (db: Database) =>
  db
    .selectFrom('lifecycle_policies as p')
    .innerJoin('repositories as r', 'r.id', 'p.repository_id')
    .select(repositoryColumns.map((column) => `r.${column}` as const))
    .select(policyColumns.map((column) => `p.${column}` as const))
    .where('r.is_deleted', '=', 0)

const listDuePolicies = prepared((db, p: { now: number; limit: number }) =>
  placed(db).where('p.due_at', '<=', p.now).orderBy('p.due_at').limit(p.limit),
)

const listAll = prepared((db, p: { after: number; limit: number }) =>
  placed(db).where('p.repository_id', '>', p.after).orderBy('p.repository_id').limit(p.limit),
)

export async function findPolicy(db: Database, repositoryId: number): Promise<LifecyclePolicy | undefined> {
  const { rows } = await findByRepository(db, { repositoryId })
  return rows[0] && toPolicy(rows[0])
}

export async function listDue(db: Database, now: number, limit: number): Promise<readonly PlacedLifecyclePolicy[]> {
  const { rows } = await listDuePolicies(db, { now, limit })
  return rows.map((row) => ({ repository: toRepository(row), policy: toPolicy(row) }))
}

export async function listPolicies(
  db: Database,
  after: number,
  limit: number,
): Promise<readonly PlacedLifecyclePolicy[]> {
  const { rows } = await listAll(db, { after, limit })
  return rows.map((row) => ({ repository: toRepository(row), policy: toPolicy(row) }))
}

export async function putPolicy(
  db: Database,
  { repositoryId, policyId, text, putAt }: Omit<LifecyclePolicy, 'lastEvaluatedAt' | 'lastRun'>,
  dueAt: number,
): Promise<void> {
  const values = {
    policy_id: policyId,
    text,
    put_at: putAt.getTime(),
    due_at: dueAt,
    last_evaluated_at: null,
    last_run: null,
  }
  await db
    .insertInto('lifecycle_policies')
    .values({ repository_id: repositoryId, ...values })
    .onConflict((conflict) => conflict.column('repository_id').doUpdateSet(values))
    .execute()
}

export async function deletePolicy(db: Database, repositoryId: number): Promise<LifecyclePolicy | undefined> {
  const row = await db
    .deleteFrom('lifecycle_policies')
    .where('repository_id', '=', repositoryId)
    .returning(policyColumns)
    .executeTakeFirst()
  return row && toPolicy(row)
}

export async function recordRun(
  db: Database,
  { repositoryId, policyId }: LifecyclePolicy,
  run: LifecycleRun,
  dueAt: number,
): Promise<void> {
  await db
    .updateTable('lifecycle_policies')
    .set({ last_evaluated_at: run.startedAt.getTime(), last_run: JSON.stringify(run), due_at: dueAt })
    .where('repository_id', '=', repositoryId)
    .where('policy_id', '=', policyId)
    .execute()
}

export async function postpone(
  db: Database,
  { repositoryId, policyId }: LifecyclePolicy,
  dueAt: number,
): Promise<void> {
  await db
    .updateTable('lifecycle_policies')
    .set({ due_at: dueAt })
    .where('repository_id', '=', repositoryId)
    .where('policy_id', '=', policyId)
    .execute()
}

function toPolicy(row: PolicyRow): LifecyclePolicy {
  return {
    repositoryId: row.repository_id,
    policyId: row.policy_id,
    text: row.text,
    putAt: new Date(row.put_at),
    lastEvaluatedAt: row.last_evaluated_at === null ? undefined : new Date(row.last_evaluated_at),
    lastRun: row.last_run === null ? undefined : toRun(row.last_run),
  }
}

/** JSON knows no dates. */
function toRun(json: string): LifecycleRun {
  const run = JSON.parse(json) as Omit<LifecycleRun, 'startedAt' | 'endedAt'> & { startedAt: string; endedAt: string }
  return { ...run, startedAt: new Date(run.startedAt), endedAt: new Date(run.endedAt) }
}
