import type { RegistryError } from '../../domain/errors.ts'

/** Constraint violations as most services of AWS tell them; ECR has an exception of its own for them. */
export function validationError({
  code,
  message,
  details,
}: RegistryError): { readonly code: string; readonly message: string } | undefined {
  if (code !== 'invalid-parameter') return undefined
  const { member, reason } = details
  if (typeof member !== 'string' || typeof reason !== 'string') return { code: 'ValidationException', message }
  const sentence = `1 validation error detected: Value at '${member}' failed to satisfy constraint: ${reason}`
  return { code: 'ValidationException', message: sentence }
}
