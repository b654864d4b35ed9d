import type { ErrorCode, RegistryError } from '../../domain/errors.ts'
import { awsErrorOf, type WireError } from '../errors.ts'
import { constraintSentence } from './constraint-sentence.ts'

/** Services of the Query protocol call some common errors by other names, and answer 403 to what is no valid signature. */
const QUERY: Partial<Record<ErrorCode, { readonly status: number; readonly code: string }>> = {
  'alarm-data-invalid': { status: 400, code: 'InvalidFormat' },
  'alarm-limit-exceeded': { status: 400, code: 'LimitExceeded' },
  'metric-parameter-invalid': { status: 400, code: 'InvalidParameterValue' },
  'metric-parameters-conflict': { status: 400, code: 'InvalidParameterCombination' },
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

/** A constraint that a value breaks has another sentence here. */
function messageOf({ code, message, details }: RegistryError): string {
  return (code === 'invalid-parameter' ? constraintSentence(details) : undefined) ?? message
}
