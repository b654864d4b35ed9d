import { sql } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { Registry, RepositoryName, Tag } from '../../domain/names.ts'
import type { ReplicationConfiguration } from '../../domain/replication/configuration.ts'
import {
  type ImageReplication,
  PUT_OFF_MS_MAX,
  type ReplicationFailure,
  type ReplicationStatus,
} from '../../domain/replication/replication.ts'
import type { Page } from '../page.ts'
import type { PendingReplication, ReplicationLag, ReplicationWriter, UnfinishedReplication } from '../replication.ts'
import { prepared, preparedForItems } from './prepared.ts'
import { registryOfRow } from './registry-row.ts'
import { repositoryColumns, toRepository } from './repositories.ts'
import type { ImageReplicationsTable } from './schema/replication.ts'
import type { Session } from './session.ts'

const findConfiguration = prepared((db, p: { accountId: string; region: string }) =>
  db
    .selectFrom('replication_configurations')
    .select('rules')
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region),
)

interface Due {
  readonly accountId: string
  readonly region: string
  readonly now: number
  /** Beyond it, nothing was put off: the clock was set back. */
  readonly putOffMax: number
  readonly limit: number
}

const listDue = preparedForItems((db, p: Due, skipped: readonly { readonly key: string }[]) =>
  db
    .selectFrom('image_replications as c')
    .innerJoin('images as i', 'i.id', 'c.image_id')
    .innerJoin('repositories as r', 'r.id', 'i.repository_id')
    .select(repositoryColumns.map((column) => `r.${column}` as const))
    .select(['c.id as replication_id', 'c.revision', 'c.tags', 'c.attempts', 'c.requested_at'])
    .select(['i.id as image_id', 'i.digest', 'i.media_type'])
    .where('c.status', '=', sql.lit('IN_PROGRESS'))
    .where('c.account_id', '=', p.accountId)
    .where('c.region', '=', p.region)
    .where((eb) => eb.or([eb('c.due_at', '<=', p.now), eb('c.due_at', '>', p.putOffMax)]))
    .where('r.is_deleted', '=', 0)
    .$if(skipped.length > 0, (query) =>
      query.where(
        sql<string>`r.account_id || '/' || r.region || '/' || r.name`,
        'not in',
        skipped.map(({ key }) => key),
      ),
    )
    .orderBy('c.id')
    .limit(p.limit),
)

/** The first destination behind another that anything is pending for: by the index, however much that is. */
const nextDestination = (table: 'image_replications' | 'replication_deletions') =>
  prepared((db, p: { accountId: string; region: string }) => {
    const [account, region] = (
      table === 'image_replications' ? ['account_id', 'region'] : ['to_account', 'to_region']
    ) as readonly ['account_id', 'region']
    return db
      .selectFrom(table as 'image_replications')
      .select([`${account} as account_id`, `${region} as region`])
      .where('status', '=', sql.lit('IN_PROGRESS'))
      .where(({ eb, refTuple, tuple }) => eb(refTuple(account, region), '>', tuple(p.accountId, p.region)))
      .orderBy(account)
      .orderBy(region)
      .limit(1)
  })
const nextOfCopies = nextDestination('image_replications')
const nextOfDeletions = nextDestination('replication_deletions')

/** To where registries copy their images, and how far each has come. */
export class Replications implements ReplicationWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findConfiguration({ registryId, region }: Registry): Promise<ReplicationConfiguration | undefined> {
    const { rows } = await findConfiguration(this.#session.db, { accountId: registryId, region })
    return rows[0] && { rules: JSON.parse(rows[0].rules) as ReplicationConfiguration['rules'] }
  }

  async putConfiguration({ registryId, region }: Registry, { rules }: ReplicationConfiguration): Promise<void> {
    const { db } = this.#session
    await db
      .deleteFrom('replication_configurations')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .execute()
    if (rules.length === 0) return
    await db
      .insertInto('replication_configurations')
      .values({ account_id: registryId, region, rules: JSON.stringify(rules) })
      .execute()
  }

  async request(imageId: number, { registryId, region }: Registry, tags: readonly Tag[], at: Date): Promise<void> {
    const { db } = this.#session
    const known = await db
      .selectFrom('image_replications')
      .select(['id', 'tags', 'status', 'requested_at'])
      .where('image_id', '=', imageId)
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .executeTakeFirst()
    const now = at.getTime()
    if (known === undefined) {
      const place = { image_id: imageId, account_id: registryId, region }
      const progress = { revision: 1, status: 'IN_PROGRESS' as const, attempts: 0, requested_at: now, due_at: now }
      const blank = { failure_code: null, failure_reason: null, ended_at: null }
      const values = { ...place, ...progress, ...blank, tags: JSON.stringify([...new Set(tags)]) }
      await db.insertInto('image_replications').values(values).execute()
      return
    }
    const isPending = known.status === 'IN_PROGRESS'
    // Of one that has failed, nothing has arrived for certain.
    const all = new Set([...(known.status === 'COMPLETE' ? [] : tagsOf(known)), ...tags])
    await db
      .updateTable('image_replications')
      .set((eb) => ({
        ...{ tags: JSON.stringify([...all]), revision: eb('revision', '+', 1), status: 'IN_PROGRESS' as const },
        ...{ failure_code: null, failure_reason: null, ended_at: null, attempts: 0, due_at: now },
        requested_at: isPending ? known.requested_at : now,
      }))
      .where('id', '=', known.id)
      .execute()
  }

  async requestFailed(imageId: number, tags: readonly Tag[], at: Date): Promise<number> {
    const failed = await this.#session.db
      .selectFrom('image_replications')
      .select(['account_id', 'region'])
      .where('image_id', '=', imageId)
      .where('status', '=', 'FAILED')
      .execute()
    for (const row of failed) await this.request(imageId, registryOfRow(row), tags, at)
    return failed.length
  }

  async forgetFailed(
    { registryId, region }: Registry,
    isUnwanted: (name: RepositoryName, destination: Registry) => boolean,
  ): Promise<void> {
    const { db } = this.#session
    const places = await db
      .selectFrom('image_replications as c')
      .innerJoin('images as i', 'i.id', 'c.image_id')
      .innerJoin('repositories as r', 'r.id', 'i.repository_id')
      .select(['r.id as repository_id', 'r.name', 'c.account_id', 'c.region'])
      .distinct()
      .where('c.status', '=', sql.lit('FAILED'))
      .where('r.account_id', '=', registryId)
      .where('r.region', '=', region)
      .execute()
    for (const place of places) {
      if (!isUnwanted(place.name as RepositoryName, registryOfRow(place))) continue
      await db
        .deleteFrom('image_replications')
        .where('status', '=', sql.lit('FAILED'))
        .where('account_id', '=', place.account_id)
        .where('region', '=', place.region)
        .where('image_id', 'in', (eb) =>
          eb.selectFrom('images').select('id').where('repository_id', '=', place.repository_id),
        )
        .execute()
    }
  }

  async end(id: number, revision: number, at: Date, failure?: ReplicationFailure): Promise<boolean> {
    const row = await this.#session.db
      .updateTable('image_replications')
      .set({
        status: failure === undefined ? 'COMPLETE' : 'FAILED',
        failure_code: failure?.code ?? null,
        failure_reason: failure?.reason ?? null,
        ended_at: at.getTime(),
      })
      .where('id', '=', id)
      .where('revision', '=', revision)
      .where('status', '=', 'IN_PROGRESS')
      .returning('id')
      .executeTakeFirst()
    return row !== undefined
  }

  async postpone(id: number, dueAt: Date, { code, reason }: ReplicationFailure): Promise<void> {
    await this.#session.db
      .updateTable('image_replications')
      .set((eb) => ({
        attempts: eb('attempts', '+', 1),
        due_at: dueAt.getTime(),
        failure_code: code,
        failure_reason: reason,
      }))
      .where('id', '=', id)
      .where('status', '=', 'IN_PROGRESS')
      .execute()
  }

  async withdraw(id: number, revision: number): Promise<void> {
    await this.#session.db
      .deleteFrom('image_replications')
      .where('id', '=', id)
      .where('revision', '=', revision)
      .where('status', '=', sql.lit('IN_PROGRESS'))
      .execute()
  }

  async listOfImage(imageId: number): Promise<readonly ImageReplication[]> {
    const rows = await this.#session.db
      .selectFrom('image_replications')
      .select(['id', 'account_id', 'region', 'status', 'failure_code', 'failure_reason'])
      .where('image_id', '=', imageId)
      .execute()
    return rows.toSorted((a, b) => a.id - b.id).map(toReplication)
  }

  async pendingDestinations(): Promise<readonly Registry[]> {
    const found = new Map<string, Registry>()
    for (const next of [nextOfCopies, nextOfDeletions])
      for (let after = { accountId: '', region: '' }; ; ) {
        const [row] = (await next(this.#session.db, after)).rows
        if (row === undefined) break
        after = { accountId: row.account_id, region: row.region }
        found.set(`${row.account_id}/${row.region}`, registryOfRow(row))
      }
    return [...found.values()]
  }

  async listDue(
    { registryId, region }: Registry,
    now: Date,
    limit: number,
    skipped: readonly string[] = [],
  ): Promise<readonly PendingReplication[]> {
    const nowMs = now.getTime()
    const values = { accountId: registryId, region, now: nowMs, putOffMax: nowMs + PUT_OFF_MS_MAX, limit }
    const { rows } = await listDue(
      this.#session.db,
      values,
      skipped.map((key) => ({ key })),
    )
    return rows.map((row) => {
      const { registry, name } = toRepository(row)
      return {
        id: row.replication_id,
        revision: row.revision,
        ref: { registry, name },
        image: {
          id: row.image_id,
          repositoryId: row.id,
          digest: row.digest as Digest,
          mediaType: row.media_type,
        },
        destination: { registryId, region },
        tags: tagsOf(row),
        attempts: row.attempts,
        requestedAt: new Date(row.requested_at),
      }
    })
  }

  async lags(): Promise<readonly ReplicationLag[]> {
    const { db } = this.#session
    const copies = await db
      .selectFrom('image_replications as c')
      .innerJoin('images as i', 'i.id', 'c.image_id')
      .innerJoin('repositories as r', 'r.id', 'i.repository_id')
      .select((eb) => [
        'c.account_id',
        'c.region',
        'c.status',
        eb.fn.countAll<number>().as('count'),
        eb.fn.min('c.requested_at').as('oldest'),
      ])
      .where('c.status', '!=', 'COMPLETE')
      .where('r.is_deleted', '=', 0)
      .groupBy(['c.account_id', 'c.region', 'c.status'])
      .execute()
    const deletions = await db
      .selectFrom('replication_deletions')
      .select((eb) => [
        'to_account as account_id',
        'to_region as region',
        'status',
        eb.fn.countAll<number>().as('count'),
        eb.fn.min('requested_at').as('oldest'),
      ])
      .groupBy(['to_account', 'to_region', 'status'])
      .execute()
    return lagsOf(copies, deletions)
  }

  async listUnfinished({ after = 0, limit }: Page<number>): Promise<readonly UnfinishedReplication[]> {
    const rows = await this.#session.db
      .selectFrom('image_replications as c')
      .innerJoin('images as i', 'i.id', 'c.image_id')
      .innerJoin('repositories as r', 'r.id', 'i.repository_id')
      .select(repositoryColumns.map((column) => `r.${column}` as const))
      .select(['c.id as replication_id', 'c.account_id as to_account', 'c.region as to_region', 'c.status', 'c.tags'])
      .select(['c.failure_code', 'c.failure_reason', 'c.attempts', 'c.requested_at', 'c.image_id', 'i.digest'])
      .where('c.status', '!=', 'COMPLETE')
      .where('c.id', '>', after)
      .where('r.is_deleted', '=', 0)
      .orderBy('c.id')
      .limit(limit)
      .execute()
    return rows.map((row) => {
      const { registry, name } = toRepository(row)
      return {
        id: row.replication_id,
        imageId: row.image_id,
        ref: { registry, name },
        digest: row.digest,
        tags: tagsOf(row),
        replication: toReplication({ ...row, account_id: row.to_account, region: row.to_region }),
        attempts: row.attempts,
        requestedAt: new Date(row.requested_at),
      }
    })
  }
}

interface Counted {
  readonly account_id: string
  readonly region: string
  readonly status: ReplicationStatus
  readonly count: number
  readonly oldest: number
}

function lagsOf(copies: readonly Counted[], deletions: readonly Counted[]): readonly ReplicationLag[] {
  const byPlace = Map.groupBy([...copies, ...deletions], ({ account_id, region }) => `${account_id}/${region}`)
  const sorted = [...byPlace].toSorted(([a], [b]) => (a < b ? -1 : 1))
  return sorted.flatMap(([, group]) => {
    const [first] = group
    if (first === undefined) return []
    const sum = (counted: readonly Counted[], status: ReplicationStatus) =>
      group
        .filter((one) => counted.includes(one) && one.status === status)
        .reduce((total, { count }) => total + Number(count), 0)
    const pending = group.filter(({ status }) => status === 'IN_PROGRESS')
    return {
      destination: registryOfRow(first),
      pendingCount: sum(copies, 'IN_PROGRESS'),
      pendingDeletionCount: sum(deletions, 'IN_PROGRESS'),
      oldestRequestedAt:
        pending.length === 0 ? undefined : new Date(Math.min(...pending.map(({ oldest }) => Number(oldest)))),
      failedCount: sum(copies, 'FAILED'),
      failedDeletionCount: sum(deletions, 'FAILED'),
    }
  })
}

type Row = Pick<ImageReplicationsTable, 'account_id' | 'region' | 'status' | 'failure_code' | 'failure_reason'>

function toReplication(row: Row): ImageReplication {
  const { status, failure_code: code, failure_reason: reason } = row
  return {
    destination: registryOfRow(row),
    status,
    failure: code === null ? undefined : { code, reason: reason ?? '' },
  }
}

function tagsOf({ tags }: { readonly tags: string }): readonly Tag[] {
  return JSON.parse(tags) as Tag[]
}
