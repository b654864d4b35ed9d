/** A metric-math expression that was read. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'text'; readonly text: string }
  /** The result of another query, by its id. */
  | { readonly kind: 'query'; readonly id: string }
  /** A bare word that a function knows, such as `REPEAT`. */
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'list'; readonly items: readonly Expression[] }
  | { readonly kind: 'negated'; readonly operand: Expression }
  | {
      readonly kind: 'operation'
      readonly operator: Operator
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'call'; readonly name: string; readonly given: readonly Expression[] }

export type Operator = '+' | '-' | '*' | '/' | '^' | '==' | '!=' | '<' | '>' | '<=' | '>=' | '&&' | '||'

/** An expression that cannot be used, with the reason. Whoever calls says which expression it is. */
export class ExpressionMistake extends Error {
  override readonly name = 'ExpressionMistake'
}

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)|([a-z]\w*)|([A-Z][A-Z0-9_]*)|"([^"]*)"|'([^']*)'|(&&|\|\||[=!<>]=|[-+*/^<>()[\],]))/y

type Token =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'id' | 'word' | 'text' | 'sign'; readonly text: string }

const DEPTH_MAX = 50

/** From what binds least to what binds most. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['==', '!=', '<', '>', '<=', '>='],
  ['+', '-'],
  ['*', '/'],
]

/** Reads an expression. Throws `ExpressionMistake`. */
export function parseExpression(text: string): Expression {
  const reader = new Reader(tokensOf(text))
  const expression = reader.expression()
  reader.end()
  return expression
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = []
  const end = text.trimEnd().length
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex
    const found = TOKEN.exec(text)
    if (found === null) throw new ExpressionMistake(`It cannot be read from '${text.slice(at, at + 20).trim()}' on`)
    const [, number, id, word, double, single, sign] = found
    if (number !== undefined) tokens.push({ kind: 'number', value: Number(number) })
    else if (id !== undefined) tokens.push({ kind: 'id', text: id })
    else if (word === 'AND' || word === 'OR') tokens.push({ kind: 'sign', text: word === 'AND' ? '&&' : '||' })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
    else tokens.push({ kind: 'text', text: double ?? single ?? '' })
  }
  return tokens
}

class Reader {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  expression(level = 0): Expression {
    const operators = LEVELS[level]
    if (operators === undefined) return this.#signed()
    if (level === 0 && ++this.#depth > DEPTH_MAX) throw new ExpressionMistake('It is nested too deeply')
    let left = this.expression(level + 1)
    for (let operator = this.#take(operators); operator !== undefined; operator = this.#take(operators))
      left = { kind: 'operation', operator: operator as Operator, left, right: this.expression(level + 1) }
    if (level === 0) this.#depth--
    return left
  }

  end(): void {
    const token = this.#tokens[this.#at]
    if (token !== undefined) throw new ExpressionMistake(`Nothing is expected where '${shown(token)}' stands`)
  }

  #signed(): Expression {
    let isNegated = false
    for (let sign = this.#take(['-', '+']); sign !== undefined; sign = this.#take(['-', '+']))
      if (sign === '-') isNegated = !isNegated
    const operand = this.#power()
    return isNegated ? { kind: 'negated', operand } : operand
  }

  #power(): Expression {
    const left = this.#operand()
    if (this.#take(['^']) === undefined) return left
    return { kind: 'operation', operator: '^', left, right: this.#signed() }
  }

  #operand(): Expression {
    const token = this.#tokens[this.#at++]
    if (token === undefined) throw new ExpressionMistake('It ends where a value is expected')
    switch (token.kind) {
      case 'number':
        return token
      case 'text':
        return { kind: 'text', text: token.text }
      case 'id':
        return { kind: 'query', id: token.text }
      case 'word':
        if (this.#take(['(']) === undefined) return { kind: 'word', word: token.text }
        return { kind: 'call', name: token.text, given: this.#list(')') }
      case 'sign':
        if (token.text === '[') return { kind: 'list', items: this.#list(']') }
        if (token.text !== '(') throw new ExpressionMistake(`A value is expected where '${token.text}' stands`)
    }
    const inner = this.expression()
    this.#expect(')')
    return inner
  }

  #list(end: string): readonly Expression[] {
    if (this.#take([end]) !== undefined) return []
    const items = [this.expression()]
    while (this.#take([',']) !== undefined) items.push(this.expression())
    this.#expect(end)
    return items
  }

  #expect(sign: string): void {
    if (this.#take([sign]) === undefined) throw new ExpressionMistake(`'${sign}' is missing`)
  }

  #take(signs: readonly string[]): string | undefined {
    const token = this.#tokens[this.#at]
    if (token?.kind !== 'sign' || !signs.includes(token.text)) return undefined
    this.#at++
    return token.text
  }
}

function shown(token: Token): string {
  return token.kind === 'number' ? String(token.value) : token.text
}
