import { RegistryError } from './registry-error.ts'

export function exclusionExists(principalArn: string): RegistryError {
  return new RegistryError(
    'exclusion-exists',
    `A pull time update exclusion for the principal '${principalArn}' already exists`,
  )
}

export function exclusionNotFound(principalArn: string): RegistryError {
  return new RegistryError(
    'exclusion-not-found',
    `A pull time update exclusion for the principal '${principalArn}' does not exist`,
  )
}
