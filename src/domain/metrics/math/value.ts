import { ExpressionMistake } from './syntax.ts'

/** The periods that a result is about: from `startMs` on and before `endMs`. */
export interface Grid {
  readonly startMs: number
  readonly endMs: number
  readonly periodMs: number
}

/** A value by the beginning of its period, in ascending order; periods without one are left out. */
export type Points = ReadonlyMap<number, number>

/** One line of values over time. `label`: what it is about. */
export interface Line {
  readonly label: string
  readonly points: Points
}

/** What an expression makes: a number, a line, several of them, or what only functions take. */
export type Value =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'line'; readonly line: Line }
  | { readonly kind: 'lines'; readonly lines: readonly Line[] }
  | { readonly kind: 'text'; readonly text: string }

export function momentsOf({ startMs, endMs, periodMs }: Grid): readonly number[] {
  const moments: number[] = []
  for (let atMs = startMs; atMs < endMs; atMs += periodMs) moments.push(atMs)
  return moments
}

/** What is no number is no data point. */
export function pointsOf(entries: Iterable<readonly [number, number | undefined]>): Points {
  const points = new Map<number, number>()
  for (const [atMs, value] of entries) if (value !== undefined && Number.isFinite(value)) points.set(atMs, value)
  return points
}

export const numberValue = (value: number): Value => ({ kind: 'number', value })

/** Applies to a number, to each value of a line, and to each line. */
export function eachValue(what: string, given: Value, change: (value: number) => number): Value {
  if (given.kind === 'number') return numberValue(change(given.value))
  return eachLine(what, given, ({ points }) => pointsOf([...points].map(([atMs, value]) => [atMs, change(value)])))
}

/** Applies to a line, and to each line of several. */
export function eachLine(what: string, given: Value, change: (line: Line) => Points): Value {
  const changed = (line: Line): Line => ({ label: line.label, points: change(line) })
  if (given.kind === 'line') return { kind: 'line', line: changed(given.line) }
  if (given.kind === 'lines') return { kind: 'lines', lines: given.lines.map(changed) }
  throw new ExpressionMistake(`${what} takes a time series`)
}

/** Puts two values together: numbers, lines at the moments at which both have a value, and several lines one by one. */
export function combine(what: string, left: Value, right: Value, put: (a: number, b: number) => number): Value {
  if (left.kind === 'text' || right.kind === 'text') throw new ExpressionMistake(`${what} takes no text`)
  if (left.kind === 'lines' && right.kind === 'lines')
    throw new ExpressionMistake(`${what} takes one array of time series at most`)
  if (left.kind === 'number' && right.kind === 'number') return numberValue(put(left.value, right.value))
  if (left.kind === 'number') return eachValue(what, right, (value) => put(left.value, value))
  if (right.kind === 'number') return eachValue(what, left, (value) => put(value, right.value))
  if (left.kind === 'line') return eachLine(what, right, ({ points }) => bothOf(left.line.points, points, put))
  const { points } = (right as Extract<Value, { kind: 'line' }>).line
  return eachLine(what, left, (line) => bothOf(line.points, points, put))
}

function bothOf(left: Points, right: Points, put: (a: number, b: number) => number): Points {
  const entries: [number, number][] = []
  for (const [atMs, a] of left) {
    const b = right.get(atMs)
    if (b !== undefined) entries.push([atMs, put(a, b)])
  }
  return pointsOf(entries)
}
