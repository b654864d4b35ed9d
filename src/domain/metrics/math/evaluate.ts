import { callFunction, OPERATIONS } from './functions.ts'
import { type Expression, ExpressionMistake } from './syntax.ts'
import { combine, eachValue, type Grid, type Line, numberValue, type Value } from './value.ts'

/** What expressions refer to. */
export interface Surroundings {
  readonly grid: Grid
  /** The result of a query; `undefined`: there is none of that id. */
  readonly resultOf: (id: string) => Value | undefined
  /** All metrics, by their ids. */
  readonly metrics: () => readonly (readonly [id: string, line: Line])[]
}

/** Throws `ExpressionMistake` for what cannot be put together, whatever the data is. */
export function evaluateExpression(expression: Expression, around: Surroundings): Value {
  const inner = (part: Expression) => evaluateExpression(part, around)
  switch (expression.kind) {
    case 'number':
      return numberValue(expression.value)
    case 'text':
      return { kind: 'text', text: expression.text }
    case 'word':
      return { kind: 'text', text: expression.word }
    case 'query': {
      const result = around.resultOf(expression.id)
      if (result === undefined) throw new ExpressionMistake(`There is no query ${expression.id}`)
      return result
    }
    case 'list':
      return { kind: 'lines', lines: expression.items.flatMap((item) => linesOf(inner(item))) }
    case 'negated':
      return eachValue('-', inner(expression.operand), (value) => -value)
    case 'operation': {
      const { operator, left, right } = expression
      return combine(operator, inner(left), inner(right), OPERATIONS[operator])
    }
    case 'call': {
      const { name, given } = expression
      if (name === 'METRICS') return metrics(given, around)
      return callFunction({ name, given: given.map(inner), grid: around.grid })
    }
  }
}

/** All metrics, or those whose ids hold a text. */
function metrics(given: readonly Expression[], around: Surroundings): Value {
  const [part, ...more] = given
  if (more.length > 0 || (part !== undefined && part.kind !== 'text'))
    throw new ExpressionMistake('METRICS takes nothing, or a text')
  const meant = around.metrics().filter(([id]) => part === undefined || id.includes(part.text))
  return { kind: 'lines', lines: meant.map(([, line]) => line) }
}

function linesOf(value: Value): readonly Line[] {
  if (value.kind === 'line') return [value.line]
  if (value.kind === 'lines') return value.lines
  throw new ExpressionMistake('An array holds time series')
}

/** The ids that an expression refers to; `usesMetrics`: it is about all metrics. */
export function referencesOf(expression: Expression): {
  readonly ids: readonly string[]
  readonly usesMetrics: boolean
} {
  const parts = partsOf(expression).map(referencesOf)
  const own = expression.kind === 'query' ? [expression.id] : []
  return {
    ids: [...own, ...parts.flatMap(({ ids }) => ids)],
    usesMetrics:
      (expression.kind === 'call' && expression.name === 'METRICS') || parts.some(({ usesMetrics }) => usesMetrics),
  }
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'list':
      return expression.items
    case 'negated':
      return [expression.operand]
    case 'operation':
      return [expression.left, expression.right]
    case 'call':
      return expression.given
    default:
      return []
  }
}
