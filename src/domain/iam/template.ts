import type { Facts } from './fact.ts'
import { plainTokens, type Token, wildTokens } from './pattern.ts'
import { PolicyMistake } from './policy-mistake.ts'

/** A text of a policy in which variables stand for facts of the request. */
export interface Template {
  /** As it is written. */
  readonly text: string
  /** Absent: nothing in the text is a variable. */
  readonly pieces?: readonly Piece[] | undefined
}

type Piece =
  | { readonly kind: 'pattern'; readonly text: string }
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'variable'; readonly name: string; readonly key: string; readonly fallback: string | undefined }

const VARIABLE = /^\s*([A-Za-z0-9_.:/=+@-][A-Za-z0-9 _.:/=+@-]*?)\s*(?:,\s*'([^']*)'\s*)?$/

/**
 * Reads a text of a policy; where the policy's version has no variables, nothing in it is one. `${*}`, `${?}` and `${$}`
 * are the characters themselves. Throws `PolicyMistake` for a `${…}` that is none of these.
 */
export function parseTemplate(text: string, hasVariables: boolean): Template {
  if (!hasVariables || !text.includes('${')) return { text }
  const pieces: Piece[] = []
  let at = 0
  while (at < text.length) {
    const start = text.indexOf('${', at)
    if (start !== at) pieces.push({ kind: 'pattern', text: text.slice(at, start < 0 ? undefined : start) })
    if (start < 0) break
    const end = text.indexOf('}', start)
    if (end < 0) throw new PolicyMistake('The policy contains invalid variables.')
    pieces.push(variable(text.slice(start + 2, end)))
    at = end + 1
  }
  return { text, pieces }
}

/** The keys that a template asks for, as they are written. */
export function variablesOf({ pieces = [] }: Template): readonly string[] {
  return pieces.flatMap((piece) => (piece.kind === 'variable' ? [piece.name] : []))
}

/** A text that variables make longer than this is nobody's name: that it was meant to be one cannot be said. */
const TOKENS_MAX = 65_536

/**
 * The text of a request's own as tokens; what comes from a variable is never a wildcard. `unresolved`: a variable has no
 * single value in this request, so the text equals nothing. `unknown`: nobody can say what it has.
 */
export function resolve(
  { text, pieces }: Template,
  facts: Facts,
  hasWildcards: boolean,
): readonly Token[] | 'unresolved' | 'unknown' {
  const tokensOf = hasWildcards ? wildTokens : plainTokens
  if (pieces === undefined) return tokensOf(text)
  const tokens: Token[] = []
  let isUnresolved = false
  for (const piece of pieces) {
    if (piece.kind === 'variable') {
      const fact = facts(piece.key)
      if (fact === 'unknown') return 'unknown'
      const [value = piece.fallback, ...others] = fact ?? []
      if (value === undefined || others.length > 0) isUnresolved = true
      else if (tokens.length + value.length > TOKENS_MAX) return 'unknown'
      else add(tokens, plainTokens(value))
    } else add(tokens, piece.kind === 'literal' ? plainTokens(piece.text) : tokensOf(piece.text))
  }
  return isUnresolved ? 'unresolved' : tokens
}

/** One by one: a value can be longer than a call takes arguments. */
function add(tokens: Token[], more: readonly Token[]): void {
  for (const token of more) tokens.push(token)
}

function variable(inner: string): Piece {
  if (inner === '*' || inner === '?' || inner === '$') return { kind: 'literal', text: inner }
  const [, name, fallback] = VARIABLE.exec(inner) ?? []
  if (name === undefined) throw new PolicyMistake('The policy contains invalid variables.')
  return { kind: 'variable', name, key: name.toLowerCase(), fallback }
}
