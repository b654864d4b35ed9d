import { alarmInvalid } from '../errors.ts'
import type { Dimension } from '../series.ts'
import { evaluateExpression, referencesOf } from './evaluate.ts'
import { type Expression, ExpressionMistake, parseExpression } from './syntax.ts'
import type { Grid, Line, Value } from './value.ts'

/** A metric with the statistic that is wanted of it. */
export interface MetricStatistic {
  readonly namespace: string
  readonly metricName: string
  readonly dimensions: readonly Dimension[]
  readonly statistic: string
  readonly periodSeconds: number
  readonly unit?: string | undefined
}

/** One of several queries that may refer to each other: a metric or an expression. */
export interface MetricQuery {
  readonly id: string
  readonly label?: string | undefined
  readonly isReturned: boolean
  readonly metric?: MetricStatistic | undefined
  readonly expression?: string | undefined
  /** Of an expression that refers to no metric. */
  readonly periodSeconds?: number | undefined
}

/** Reads the values of a metric, with periods of that length. */
export type ReadMetric = (metric: MetricStatistic, periodSeconds: number) => Promise<Line>

/** The grid of periods of that length. */
export type GridOf = (periodSeconds: number) => Grid

const DEFAULT_PERIOD_SECONDS = 60
const NO_GRID: GridOf = (periodSeconds) => ({ startMs: 0, endMs: 0, periodMs: periodSeconds * 1000 })

interface Parsed {
  readonly query: MetricQuery
  readonly expression: Expression | undefined
}

/** Queries that were checked, ready to be evaluated over any range. */
export class QuerySet {
  readonly #parsed: ReadonlyMap<string, Parsed>

  private constructor(parsed: ReadonlyMap<string, Parsed>) {
    this.#parsed = parsed
  }

  /** Reads all expressions, and tries them on nothing. Throws `invalid-parameter` with what is wrong. */
  static async of(queries: readonly MetricQuery[]): Promise<QuerySet> {
    const parsed = new Map<string, Parsed>()
    for (const query of queries) {
      const { expression } = query
      const read = expression === undefined ? undefined : inExpression(query.id, () => parseExpression(expression))
      parsed.set(query.id, { query, expression: read })
    }
    const set = new QuerySet(parsed)
    for (const { id } of queries) {
      set.periodSecondsOf(id)
      const { kind } = await set.evaluate(id, async () => ({ label: '', points: new Map() }), NO_GRID)
      if (kind !== 'line' && kind !== 'lines' && set.#get(id).query.isReturned)
        throw mistake(id, 'The result must be a time series, or an array of them')
    }
    return set
  }

  /** The period of a query: its own, or the shortest in which those of all its metrics fit. */
  periodSecondsOf(id: string): number {
    const metrics = [...this.#metricsOf(id).values()]
    const periods = metrics.flatMap((metric) => (metric === undefined ? [] : [metric.periodSeconds]))
    if (periods.length === 0) return this.#get(id).query.periodSeconds ?? DEFAULT_PERIOD_SECONDS
    return periods.reduce(leastCommonMultiple)
  }

  /** Evaluates one query. Throws `invalid-parameter` for an expression that cannot be evaluated. */
  async evaluate(id: string, read: ReadMetric, gridOf: GridOf): Promise<Value> {
    const periodSeconds = this.periodSecondsOf(id)
    const lines = new Map<string, Line>()
    const wanted = this.#metricsOf(id)
    for (const metricId of this.#parsed.keys()) {
      const metric = wanted.get(metricId)
      if (metric !== undefined) lines.set(metricId, await read(metric, periodSeconds))
    }
    return this.#value(id, lines, gridOf(periodSeconds), new Map())
  }

  #value(id: string, lines: ReadonlyMap<string, Line>, grid: Grid, known: Map<string, Value>): Value {
    const before = known.get(id)
    if (before !== undefined) return before
    const line = lines.get(id)
    const { expression } = this.#get(id)
    const value: Value =
      line !== undefined || expression === undefined
        ? { kind: 'line', line: line ?? { label: id, points: new Map() } }
        : inExpression(id, () =>
            evaluateExpression(expression, {
              grid,
              resultOf: (other) => (this.#parsed.has(other) ? this.#value(other, lines, grid, known) : undefined),
              metrics: () => [...lines],
            }),
          )
    known.set(id, value)
    return value
  }

  /** The queries for metrics that a query leads to. Throws for one that leads to itself, or to what is not there. */
  #metricsOf(id: string, path = new Set<string>(), seen = new Map<string, MetricStatistic | undefined>()) {
    if (path.has(id)) throw mistake(id, `It refers to itself: ${[...path, id].join(' → ')}`)
    if (seen.has(id)) return seen
    const { query, expression } = this.#get(id)
    path.add(id)
    if (expression !== undefined) {
      const { ids, usesMetrics } = referencesOf(expression)
      for (const other of new Set(ids)) {
        if (!this.#parsed.has(other)) throw mistake(id, `There is no query ${other}`)
        this.#metricsOf(other, path, seen)
      }
      if (usesMetrics)
        for (const [other, { query }] of this.#parsed) if (query.metric !== undefined) seen.set(other, query.metric)
    }
    path.delete(id)
    seen.set(id, query.metric)
    return seen
  }

  #get(id: string): Parsed {
    const found = this.#parsed.get(id)
    if (found === undefined) throw mistake(id, 'There is no such query')
    return found
  }
}

function inExpression<T>(id: string, work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    if (thrown instanceof ExpressionMistake) throw mistake(id, thrown.message)
    throw thrown
  }
}

function mistake(id: string, reason: string): Error {
  return alarmInvalid(`Error in expression '${id.slice(0, 255)}': ${reason}.`)
}

function leastCommonMultiple(a: number, b: number): number {
  let [larger, smaller] = [a, b]
  while (smaller !== 0) [larger, smaller] = [smaller, larger % smaller]
  return (a / larger) * b
}
