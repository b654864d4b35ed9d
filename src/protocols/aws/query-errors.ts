import type { ErrorCode, RegistryError } from '../../domain/errors.ts'
import { awsErrorOf, type WireError } from '../errors.ts'

/** Services of the Query protocol call some common errors by other names, and answer 403 to what is no valid signature. */
const QUERY: Partial<Record<ErrorCode, { readonly status: number; readonly code: string }>> = {
  'access-denied': { status: 403, code: 'AccessDenied' },
  'authentication-missing': { status: 403, code: 'MissingAuthenticationToken' },
  'invalid-parameter': { status: 400, code: 'ValidationError' },
  'request-malformed': { status: 400, code: 'MalformedInput' },
  'request-too-large': { status: 413, code: 'RequestEntityTooLarge' },
  'security-token-expired': { status: 403, code: 'ExpiredToken' },
  'security-token-invalid': { status: 403, code: 'InvalidClientTokenId' },
  'signature-expired': { status: 403, code: 'SignatureDoesNotMatch' },
  'signature-incomplete': { status: 400, code: 'IncompleteSignature' },
  'signature-mismatch': { status: 403, code: 'SignatureDoesNotMatch' },
  throttled: { status: 400, code: 'Throttling' },
  'unknown-operation': { status: 400, code: 'InvalidAction' },
  'unsupported-operation': { status: 400, code: 'UnsupportedOperation' },
}

/** What a client of the Query protocol sees. */
export function queryErrorOf(thrown: unknown): WireError {
  const wire = awsErrorOf(thrown)
  if (wire.error === undefined) return { ...wire, code: 'InternalFailure' }
  return { ...wire, ...QUERY[wire.error.code], message: messageOf(wire.error) }
}

/** A constraint that a value breaks has another sentence here; the value is not repeated. */
function messageOf({ code, message, details }: RegistryError): string {
  const { member, reason } = details
  if (code !== 'invalid-parameter' || typeof member !== 'string' || reason === undefined) return message
  const path = member.charAt(0).toLowerCase() + member.slice(1)
  const sentence = /^must satisfy regular/.test(String(reason)) ? `Member ${reason}` : reason
  return `1 validation error detected: Value at '${path}' failed to satisfy constraint: ${sentence}`
}
