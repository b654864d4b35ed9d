import type { ErrorDetails } from '../../domain/errors.ts'
import type { Shape } from './model.ts'

/** Longer values are cut off. */
const VALUE_MAX = 1024

/** A broken constraint as most services of AWS tell it; ECR has a sentence of its own. `undefined`: it is about no member. */
export function constraintSentence({ member, reason, value }: ErrorDetails): string | undefined {
  if (typeof member !== 'string' || typeof reason !== 'string') return undefined
  const path = member.charAt(0).toLowerCase() + member.slice(1)
  const sentence = /^must satisfy regular/.test(reason) ? `Member ${reason}` : reason
  const repeated = typeof value === 'string' ? `${value} ` : ''
  return `1 validation error detected: Value ${repeated}at '${path}' failed to satisfy constraint: ${sentence}`
}

/** A value as that sentence repeats it; `undefined`: it is not repeated, as it is secret or no text. */
export function repeatedValue(value: unknown, { sensitive = false }: Shape): string | undefined {
  if (sensitive) return undefined
  if (value === null) return 'null'
  if (Array.isArray(value)) {
    if (!value.every(isScalar)) return undefined
    return quoted(`[${value.join(', ')}]`)
  }
  return isScalar(value) ? quoted(String(value)) : undefined
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
}

function quoted(text: string): string {
  return `'${text.length > VALUE_MAX ? `${text.slice(0, VALUE_MAX).toWellFormed()}…` : text}'`
}
