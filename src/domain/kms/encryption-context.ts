import { invalidParameter } from '../errors.ts'

/** What a ciphertext is bound to: whoever decrypts must name the same pairs. Not secret. */
export type EncryptionContext = Readonly<Record<string, string>>

const LENGTH_MAX = 8192

/** The one spelling of a context: its pairs in the order of their keys, so that no two contexts are spelled alike. */
export function canonicalContext(context: EncryptionContext): string {
  return JSON.stringify(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

/** Throws `invalid-parameter`. */
export function checkContext(context: EncryptionContext): void {
  if (canonicalContext(context).length > LENGTH_MAX)
    throw invalidParameter('encryptionContext', `Member must have length less than or equal to ${LENGTH_MAX}`)
}

/** Whether a context has all these pairs, and maybe others. */
export function includesContext(context: EncryptionContext, pairs: EncryptionContext): boolean {
  return Object.entries(pairs).every(([key, value]) => Object.hasOwn(context, key) && context[key] === value)
}

/** Whether two contexts have the same pairs, in whatever order. */
export function isSameContext(one: EncryptionContext, other: EncryptionContext): boolean {
  return canonicalContext(one) === canonicalContext(other)
}
