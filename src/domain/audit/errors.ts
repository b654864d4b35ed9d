import { RegistryError } from '../registry-error.ts'

export function auditMaxResultsInvalid(most: number): RegistryError {
  return new RegistryError('audit-max-results-invalid', `MaxResults must be from 1 to ${most}.`)
}

export function auditNextTokenInvalid(): RegistryError {
  return new RegistryError('audit-next-token-invalid', 'The next token is not one that an earlier answer gave.')
}

export function auditTimeRangeInvalid(): RegistryError {
  return new RegistryError('audit-time-range-invalid', 'The start of the time range is after its end.')
}
