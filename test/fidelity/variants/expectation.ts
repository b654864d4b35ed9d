import { invalidParameter, requestMalformed } from '../../../src/domain/errors.ts'
import type { RegistryError } from '../../../src/domain/registry-error.ts'

/** What must come of a variant. */
export type Expected =
  /** Like the sample that it was made from. */
  | { readonly kind: 'same' }
  /** Nothing in the model speaks against it: the operation accepts it, or refuses it in its own way. */
  | { readonly kind: 'within' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }

/** One value in the place of a member, and what it must lead to; `absent` leaves the member out. */
export interface ValueVariant {
  readonly what: string
  readonly value: unknown
  readonly expected: Expected
}

export const SAME: Expected = { kind: 'same' }
export const WITHIN: Expected = { kind: 'within' }

export const brokenConstraint = (path: string, reason: string): Expected => refusal(invalidParameter(path, reason))
export const unreadable = (message: string): Expected => refusal(requestMalformed(message))

function refusal({ code, message }: RegistryError): Expected {
  const wireCode = code === 'request-malformed' ? 'SerializationException' : 'InvalidParameterException'
  return { kind: 'refused', code: wireCode, message }
}
