import type { Registry } from '../names.ts'
import type { Principal } from '../principal.ts'
import { RegistryError } from '../registry-error.ts'
import type { SigningProfile } from './profile.ts'

export function signingConfigurationNotFound({ registryId }: Registry): RegistryError {
  return new RegistryError(
    'signing-configuration-not-found',
    `Signing configuration does not exist in the registry with id '${registryId}'`,
  )
}

/** AWS Signer's sentence: nothing gives the pusher a right on a profile of another account. */
export function signingDenied({ arn }: Principal, profile: SigningProfile): RegistryError {
  return new RegistryError(
    'access-denied',
    `User: ${arn} is not authorized to perform: signer:SignPayload on resource: ${profile.arn} because no resource-based policy allows the signer:SignPayload action`,
  )
}
