import { sql } from 'kysely'
import type { AnyEvent } from '../../domain/events.ts'
import type { Registry } from '../../domain/names.ts'
import type { OutboxEvent, OutboxPage, OutboxRange, OutboxWriter } from '../outbox.ts'
import { prepared } from './prepared.ts'
import { registryOfRow } from './registry-row.ts'
import type { OutboxTable } from './schema/outbox.ts'
import type { Session } from './session.ts'

type Values = Omit<OutboxTable, 'position'>

const append = prepared((db, p: Values) =>
  db
    .insertInto('outbox')
    .values({
      account_id: p.account_id,
      region: p.region,
      source: p.source,
      detail_type: p.detail_type,
      resources: p.resources,
      at: p.at,
      detail: p.detail,
    })
    .returning('position'),
)

const sizeOf = (column: 'detail') => sql<number>`length(${sql.ref(column)})`.as('size')

const list = prepared((db, p: { after: number; limit: number }) =>
  db.selectFrom('outbox').selectAll().where('position', '>', p.after).orderBy('position').limit(p.limit),
)

const listOfRegistry = prepared((db, p: { after: number; limit: number; accountId: string; region: string }) =>
  db
    .selectFrom('outbox')
    .selectAll()
    .where('position', '>', p.after)
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region)
    .orderBy('position')
    .limit(p.limit),
)

const sizes = prepared((db, p: { after: number; limit: number }) =>
  db
    .selectFrom('outbox')
    .select(['position', sizeOf('detail')])
    .where('position', '>', p.after)
    .orderBy('position')
    .limit(p.limit),
)

const sizesOfRegistry = prepared((db, p: { after: number; limit: number; accountId: string; region: string }) =>
  db
    .selectFrom('outbox')
    .select(['position', sizeOf('detail')])
    .where('position', '>', p.after)
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region)
    .orderBy('position')
    .limit(p.limit),
)

const times = prepared((db, p: { after: number; limit: number }) =>
  db.selectFrom('outbox').select(['position', 'at']).where('position', '>', p.after).orderBy('position').limit(p.limit),
)

// The condition makes of both ends a search of the key.
const oldest = prepared((db, p: { limit: number }) =>
  db.selectFrom('outbox').select(['position', 'at']).where('position', '>', 0).orderBy('position').limit(p.limit),
)

const newest = prepared((db) =>
  db.selectFrom('outbox').select('position').where('position', '>', 0).orderBy('position', 'desc').limit(1),
)

const removeUpTo = prepared((db, p: { position: number }) =>
  db.deleteFrom('outbox').where('position', '<=', p.position),
)

/** The log of events. */
export class Outbox implements OutboxWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async append({ registry, source, detailType, resources, at, detail }: AnyEvent): Promise<number> {
    const { rows } = await append(this.#session.db, {
      account_id: registry.registryId,
      region: registry.region,
      source,
      detail_type: detailType,
      resources: JSON.stringify(resources),
      at: at.getTime(),
      detail: JSON.stringify(detail),
    })
    this.#session.noteEvents()
    return rows[0]?.position ?? 0
  }

  async list(after: number, limit: number, registry?: Registry): Promise<readonly OutboxEvent[]> {
    const { db } = this.#session
    const { rows } =
      registry === undefined
        ? await list(db, { after, limit })
        : await listOfRegistry(db, { after, limit, accountId: registry.registryId, region: registry.region })
    return rows.map((row) => ({
      position: row.position,
      registry: registryOfRow(row),
      source: row.source,
      detailType: row.detail_type,
      resources: JSON.parse(row.resources) as readonly string[],
      at: new Date(row.at),
      detail: JSON.parse(row.detail) as object,
    }))
  }

  async page(after: number, limit: number, bytesMax: number, registry?: Registry): Promise<OutboxPage> {
    const { db } = this.#session
    const { rows } =
      registry === undefined
        ? await sizes(db, { after, limit })
        : await sizesOfRegistry(db, { after, limit, accountId: registry.registryId, region: registry.region })
    let [count, bytes] = [0, 0]
    for (const { size } of rows) {
      bytes += Number(size)
      if (count > 0 && bytes > bytesMax) break
      count++
    }
    const events = count === 0 ? [] : await this.list(after, count, registry)
    return { events, isEnd: count === rows.length && rows.length < limit }
  }

  async listTimes(after: number, limit: number): Promise<readonly { readonly position: number; readonly at: Date }[]> {
    const { rows } = await times(this.#session.db, { after, limit })
    return rows.map(({ position, at }) => ({ position, at: new Date(at) }))
  }

  range(): Promise<OutboxRange> {
    return this.#session.atOnce(async (db) => {
      const first = (await oldest(db, { limit: 1 })).rows[0]?.position
      const last = (await newest(db, {})).rows[0]?.position
      return first === undefined || last === undefined ? { first: 1, last: 0 } : { first, last }
    })
  }

  prune(before: Date, countMax: number, limit: number): Promise<number> {
    return this.#session.atOnce(async (db) => {
      const last = (await newest(db, {})).rows[0]?.position ?? 0
      const { rows } = await oldest(db, { limit })
      // The newest event stays, so that its position is known.
      const kept = rows.findIndex(
        ({ position, at }) => position === last || (at >= before.getTime() && position > last - countMax),
      )
      const gone = rows.slice(0, kept === -1 ? rows.length : kept)
      const newestGone = gone.at(-1)?.position
      if (newestGone !== undefined) await removeUpTo(db, { position: newestGone })
      return gone.length
    })
  }
}
