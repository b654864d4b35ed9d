import { inRepository, type Place } from '../errors.ts'
import { RegistryError } from '../registry-error.ts'
import type { AdmissionRule } from './rule.ts'

/** Why a pull is refused, for those who are refused. */
export function admissionReason({ repositories }: Pick<AdmissionRule, 'repositories'>, reason: string): string {
  return `Refused by the admission rule for '${repositories}': ${reason}`
}

/** What is asked for may not be pulled as it is now. */
export function admissionDenied(reason: string, what: string, place: Place): RegistryError {
  return new RegistryError('access-denied', `${reason} (${what} in ${inRepository(place)})`)
}
