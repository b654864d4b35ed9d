import { ExpressionMistake } from './syntax.ts'
import {
  eachLine,
  eachValue,
  type Grid,
  type Line,
  momentsOf,
  numberValue,
  type Points,
  pointsOf,
  type Value,
} from './value.ts'

/** What a function is given, already evaluated. */
export interface Call {
  readonly name: string
  readonly given: readonly Value[]
  readonly grid: Grid
}

type Of = (call: Call) => Value

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)

/** Of the values of a line one number; of several lines one line. Where a line has no value, sums and averages count 0. */
const REDUCERS: Readonly<Record<string, readonly [(values: readonly number[]) => number, isMissingZero: boolean]>> = {
  SUM: [sum, true],
  AVG: [(values) => sum(values) / values.length, true],
  MIN: [(values) => Math.min(...values), false],
  MAX: [(values) => Math.max(...values), false],
}

const reduce: Of = ({ name, given }) => {
  const [reducer = sum, isMissingZero = false] = REDUCERS[name] ?? []
  const [value] = given
  if (value?.kind === 'line') {
    const values = [...value.line.points.values()]
    return numberValue(values.length === 0 ? 0 : reducer(values))
  }
  if (value?.kind !== 'lines') throw new ExpressionMistake(`${name} takes a time series, or an array of them`)
  const { lines } = value
  const moments = [...new Set(lines.flatMap(({ points }) => [...points.keys()]))].toSorted((a, b) => a - b)
  const at = (atMs: number) =>
    lines.flatMap(({ points }) => {
      const there = points.get(atMs) ?? (isMissingZero ? 0 : undefined)
      return there === undefined ? [] : [there]
    })
  const points = pointsOf(moments.map((atMs) => [atMs, reducer(at(atMs))]))
  return { kind: 'line', line: { label: name, points } }
}

const round =
  (change: (value: number) => number): Of =>
  ({ name, given: [value] }) =>
    eachValue(name, value ?? missing(name), change)

/** From each value and the one before it. */
const step =
  (change: (value: number, before: number, seconds: number) => number): Of =>
  ({ name, given: [value] }) =>
    eachLine(name, value ?? missing(name), ({ points }) => {
      const entries = [...points]
      return pointsOf(
        entries.slice(1).map(([atMs, value], index) => {
          const [beforeMs, before] = entries[index] ?? [atMs, value]
          return [atMs, change(value, before, (atMs - beforeMs) / 1000)]
        }),
      )
    })

const runningSum: Of = ({ name, given: [value] }) =>
  eachLine(name, value ?? missing(name), ({ points }) => {
    let total = 0
    return pointsOf(
      [...points].map(([atMs, value]) => {
        total += value
        return [atMs, total]
      }),
    )
  })

const fill: Of = ({ name, given: [value, filler], grid }) => {
  if (filler === undefined)
    throw new ExpressionMistake('FILL takes what to fill with: a number, a time series, REPEAT or LINEAR')
  return eachLine(name, value ?? missing(name), ({ points }) => {
    if (filler.kind === 'lines') throw new ExpressionMistake('FILL fills with one time series')
    if (filler.kind === 'text') return filledBy(filler.text, points, grid)
    const other = filler.kind === 'number' ? () => filler.value : (atMs: number) => filler.line.points.get(atMs)
    return pointsOf(momentsOf(grid).map((atMs) => [atMs, points.get(atMs) ?? other(atMs)]))
  })
}

function filledBy(way: string, points: Points, grid: Grid): Points {
  if (way !== 'REPEAT' && way !== 'LINEAR') throw new ExpressionMistake(`FILL cannot fill with ${way}`)
  const known = [...points]
  let next = 0
  return pointsOf(
    momentsOf(grid).map((atMs) => {
      while (next < known.length && (known[next]?.[0] ?? 0) <= atMs) next++
      const [before, after] = [known[next - 1], known[next]]
      if (before === undefined) return [atMs, undefined]
      if (before[0] === atMs || way === 'REPEAT') return [atMs, before[1]]
      if (after === undefined) return [atMs, undefined]
      return [atMs, before[1] + ((after[1] - before[1]) * (atMs - before[0])) / (after[0] - before[0])]
    }),
  )
}

/** Without `otherwise`, there is nothing where the condition does not hold. */
const choose: Of = ({ name, given: [condition, then, otherwise], grid }) => {
  if (condition === undefined || then === undefined) throw new ExpressionMistake('IF takes a condition and a value')
  if (condition.kind === 'number') {
    if (condition.value !== 0) return then
    return otherwise ?? { kind: 'line', line: { label: name, points: new Map() } }
  }
  const [yes, no] = [then, otherwise].map((value) => (value === undefined ? () => undefined : valueAt(name, value)))
  return eachLine(name, condition, ({ points }) => {
    const moments = momentsOf(grid).filter((atMs) => points.has(atMs))
    return pointsOf(moments.map((atMs) => [atMs, points.get(atMs) !== 0 ? yes?.(atMs) : no?.(atMs)]))
  })
}

function valueAt(name: string, value: Value): (atMs: number) => number | undefined {
  if (value.kind === 'number') return () => value.value
  if (value.kind === 'line') return (atMs) => value.line.points.get(atMs)
  throw new ExpressionMistake(`${name} takes numbers and time series`)
}

/** What a moment is called, in UTC: for each moment of the range, whether the series has data there or not. */
const calendar =
  (of: (at: Date) => number): Of =>
  ({ name, given: [value], grid }) =>
    eachLine(name, value ?? missing(name), () => pointsOf(momentsOf(grid).map((atMs) => [atMs, of(new Date(atMs))])))

const linesIn = (name: string, value: Value | undefined): readonly Line[] => {
  if (value?.kind === 'lines') return value.lines
  if (value?.kind === 'line') return [value.line]
  throw new ExpressionMistake(`${name} takes an array of time series`)
}

const pick =
  (which: (lines: readonly Line[]) => Line | undefined): Of =>
  ({ name, given: [value] }) => ({
    kind: 'line',
    line: which(linesIn(name, value)) ?? { label: name, points: new Map() },
  })

const numberIn = (name: string, value: Value | undefined): number => {
  if (value?.kind !== 'number') throw new ExpressionMistake(`${name} takes a number`)
  return value.value
}

const slice: Of = ({ name, given: [value, from, to] }) => ({
  kind: 'lines',
  lines: linesIn(name, value).slice(numberIn(name, from), to === undefined ? undefined : numberIn(name, to)),
})

const sort: Of = ({ name, given: [value, by, order, limit] }) => {
  const [reducer] = by?.kind === 'text' ? (REDUCERS[by.text] ?? []) : []
  if (reducer === undefined) throw new ExpressionMistake('SORT sorts by SUM, AVG, MIN or MAX')
  if (order?.kind !== 'text' || !['ASC', 'DESC'].includes(order.text))
    throw new ExpressionMistake('SORT takes an order, ASC or DESC')
  const weight = ({ points }: Line) => (points.size === 0 ? 0 : reducer([...points.values()]))
  const direction = order.text === 'ASC' ? 1 : -1
  const sorted = linesIn(name, value).toSorted((a, b) => direction * (weight(a) - weight(b)))
  return { kind: 'lines', lines: sorted.slice(0, limit === undefined ? undefined : numberIn(name, limit)) }
}

const FUNCTIONS: Readonly<Record<string, Of>> = {
  SUM: reduce,
  AVG: reduce,
  MIN: reduce,
  MAX: reduce,
  ABS: round(Math.abs),
  CEIL: round(Math.ceil),
  FLOOR: round(Math.floor),
  LOG: round(Math.log),
  LOG10: round(Math.log10),
  RATE: step((value, before, seconds) => (value - before) / seconds),
  DIFF: step((value, before) => value - before),
  DIFF_TIME: step((_value, _before, seconds) => seconds),
  RUNNING_SUM: runningSum,
  FILL: fill,
  IF: choose,
  MINUTE: calendar((at) => at.getUTCMinutes()),
  HOUR: calendar((at) => at.getUTCHours()),
  // Monday is 1.
  DAY: calendar((at) => at.getUTCDay() || 7),
  DATE: calendar((at) => at.getUTCDate()),
  MONTH: calendar((at) => at.getUTCMonth() + 1),
  YEAR: calendar((at) => at.getUTCFullYear()),
  EPOCH: calendar((at) => at.getTime() / 1000),
  FIRST: pick((lines) => lines[0]),
  LAST: pick((lines) => lines.at(-1)),
  SLICE: slice,
  SORT: sort,
  REMOVE_EMPTY: ({ name, given: [value] }) => ({
    kind: 'lines',
    lines: linesIn(name, value).filter(({ points }) => points.size > 0),
  }),
  METRIC_COUNT: ({ name, given: [value] }) => numberValue(linesIn(name, value).length),
  DATAPOINT_COUNT: ({ name, given: [value] }) => {
    if (value?.kind !== 'line') throw new ExpressionMistake(`${name} takes a time series`)
    return numberValue(value.line.points.size)
  },
  PERIOD: ({ name, given: [value], grid }) => {
    if (value?.kind !== 'line') throw new ExpressionMistake(`${name} takes a time series`)
    return numberValue(grid.periodMs / 1000)
  },
  TIME_SERIES: ({ name, given: [value], grid }) => {
    const filler = numberIn(name, value)
    return { kind: 'line', line: { label: name, points: pointsOf(momentsOf(grid).map((atMs) => [atMs, filler])) } }
  },
}

/** How many values a function takes; one where it is not said. */
const COUNTS: Readonly<Record<string, readonly [least: number, most: number]>> = {
  FILL: [2, 2],
  IF: [2, 3],
  SLICE: [2, 3],
  SORT: [3, 4],
}

/** Throws `ExpressionMistake`. */
export function callFunction(call: Call): Value {
  const { name, given } = call
  const found = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (found === undefined) throw new ExpressionMistake(`There is no function ${name.slice(0, 100)} here`)
  const [least, most] = COUNTS[name] ?? [1, 1]
  if (given.length < least || given.length > most)
    throw new ExpressionMistake(`${name} takes ${least === most ? least : `${least} or ${most}`} values`)
  return found(call)
}

function missing(name: string): never {
  throw new ExpressionMistake(`${name} takes a time series`)
}

const truth = (isTrue: boolean) => (isTrue ? 1 : 0)

export const OPERATIONS = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
  '^': (a: number, b: number) => a ** b,
  '==': (a: number, b: number) => truth(a === b),
  '!=': (a: number, b: number) => truth(a !== b),
  '<': (a: number, b: number) => truth(a < b),
  '>': (a: number, b: number) => truth(a > b),
  '<=': (a: number, b: number) => truth(a <= b),
  '>=': (a: number, b: number) => truth(a >= b),
  '&&': (a: number, b: number) => truth(a !== 0 && b !== 0),
  '||': (a: number, b: number) => truth(a !== 0 || b !== 0),
} as const
