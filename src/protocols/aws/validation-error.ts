import type { RegistryError } from '../../domain/errors.ts'
import { constraintSentence } from './constraint-sentence.ts'

/** Constraint violations as most services of AWS tell them; ECR has an exception of its own for them. */
export function validationError({
  code,
  message,
  details,
}: RegistryError): { readonly code: string; readonly message: string } | undefined {
  if (code !== 'invalid-parameter') return undefined
  return { code: 'ValidationException', message: constraintSentence(details) ?? message }
}
