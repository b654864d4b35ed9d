import type { Series } from '../../domain/metrics/series.ts'
import type { Registry } from '../../domain/names.ts'
import type { Count, MetricWriter } from '../metrics.ts'
import type { Page } from '../page.ts'
import { prepared } from './prepared.ts'
import type { MetricCountsTable, MetricSeriesTable } from './schema/metrics.ts'
import type { Session } from './session.ts'

const addCount = prepared((db, p: MetricCountsTable) =>
  db
    .insertInto('metric_counts')
    .values({
      account_id: p.account_id,
      region: p.region,
      metric: p.metric,
      subject: p.subject,
      period_ms: p.period_ms,
      at: p.at,
      amount: p.amount,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'region', 'metric', 'subject', 'period_ms', 'at'])
        .doUpdateSet((eb) => ({ amount: eb('metric_counts.amount', '+', eb.ref('excluded.amount')) })),
    ),
)

const noteSeries = prepared((db, p: MetricSeriesTable) =>
  db
    .insertInto('metric_series')
    .values({ account_id: p.account_id, region: p.region, metric: p.metric, subject: p.subject, last_at: p.last_at })
    .onConflict((conflict) =>
      conflict
        .columns(['account_id', 'region', 'metric', 'subject'])
        .doUpdateSet((eb) => ({ last_at: eb.ref('excluded.last_at') }))
        .whereRef('excluded.last_at', '>', 'metric_series.last_at'),
    ),
)

/** Counts over time, and which of them there are. */
export class Metrics implements MetricWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async listCounts(series: Series, since: Date, until: Date, periodMsMax: number): Promise<readonly Count[]> {
    const { account_id, region, metric, subject } = valuesOf(series)
    const rows = await this.#session.db
      .selectFrom('metric_counts')
      .select(['at', 'amount'])
      .where('account_id', '=', account_id)
      .where('region', '=', region)
      .where('metric', '=', metric)
      .where('subject', '=', subject)
      .where('period_ms', '<=', periodMsMax)
      .where('at', '>=', since.getTime())
      .where('at', '<', until.getTime())
      .orderBy('at')
      .execute()
    return rows.map(({ at, amount }) => ({ at: new Date(at), amount }))
  }

  async listSeries(
    registry: Registry,
    since: Date,
    { after, limit }: Page<Pick<Series, 'metric' | 'subject'>>,
  ): Promise<readonly Series[]> {
    const { metric, subject } = after ?? { metric: '', subject: '' }
    const rows = await this.#session.db
      .selectFrom('metric_series')
      .select(['metric', 'subject'])
      .where('account_id', '=', registry.registryId)
      .where('region', '=', registry.region)
      .where('last_at', '>=', since.getTime())
      .where('metric', '>=', metric)
      .where((eb) => eb.or([eb('metric', '>', metric), eb('subject', '>', subject)]))
      .orderBy('metric')
      .orderBy('subject')
      .limit(limit)
      .execute()
    return rows.map((row) => ({ registry, metric: row.metric as Series['metric'], subject: row.subject }))
  }

  async add(series: Series, periodMs: number, at: Date, amount: number): Promise<void> {
    const { db } = this.#session
    const values = valuesOf(series)
    await addCount(db, { ...values, period_ms: periodMs, at: at.getTime(), amount })
    await noteSeries(db, { ...values, last_at: at.getTime() })
  }

  async sumUp(periodMs: number, intoPeriodMs: number, before: Date, limit: number): Promise<number> {
    const rows = await this.#take(periodMs, before, limit)
    for (const { at, ...row } of rows)
      await addCount(this.#session.db, { ...row, period_ms: intoPeriodMs, at: at - (at % intoPeriodMs) })
    return rows.length
  }

  async forget(periodMs: number, before: Date, limit: number): Promise<number> {
    await this.#session.db.deleteFrom('metric_series').where('last_at', '<', before.getTime()).execute()
    return (await this.#take(periodMs, before, limit)).length
  }

  /** Takes counts away. */
  async #take(periodMs: number, before: Date, limit: number): Promise<readonly MetricCountsTable[]> {
    const { db } = this.#session
    const rows = await db
      .selectFrom('metric_counts')
      .selectAll()
      .where('period_ms', '=', periodMs)
      .where('at', '<', before.getTime())
      .orderBy('at')
      .limit(limit)
      .execute()
    for (const row of rows)
      await db
        .deleteFrom('metric_counts')
        .where('account_id', '=', row.account_id)
        .where('region', '=', row.region)
        .where('metric', '=', row.metric)
        .where('subject', '=', row.subject)
        .where('period_ms', '=', row.period_ms)
        .where('at', '=', row.at)
        .execute()
    return rows
  }
}

function valuesOf({ registry, metric, subject }: Series) {
  return { account_id: registry.registryId, region: registry.region, metric, subject }
}
