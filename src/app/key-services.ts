import type { Clock } from '../lib/clock.ts'
import type { Access } from '../services/access/access.ts'
import { RepositoryGrants } from '../services/encryption/repository-grants.ts'
import { RepositoryKeys } from '../services/encryption/repository-keys.ts'
import { KeyAccess } from '../services/kms/key-access.ts'
import { KeyAliases } from '../services/kms/key-aliases.ts'
import { KeyCryptography } from '../services/kms/key-cryptography.ts'
import { KeyGrants } from '../services/kms/key-grants.ts'
import { KeyLifetimes } from '../services/kms/key-lifetimes.ts'
import { KeyPolicies } from '../services/kms/key-policies.ts'
import { Keys } from '../services/kms/keys.ts'
import { SecretAccess } from '../services/secrets/secret-access.ts'
import { SecretCipher } from '../services/secrets/secret-cipher.ts'
import { SecretValues } from '../services/secrets/secret-values.ts'
import { Secrets } from '../services/secrets/secrets.ts'
import type { Foundation } from './foundation.ts'

/** What keys stand on. */
type KeyFoundation = Pick<Foundation, 'metadata' | 'ids'> & { readonly clock: Clock }

/** What KMS and Secrets Manager are made of. */
export function createKeyServices({ metadata, clock, ids }: KeyFoundation, access: Access) {
  const keyAccess = new KeyAccess(metadata, access)
  const keys = new Keys(metadata, keyAccess, clock, ids)
  const repositoryGrants = new RepositoryGrants(metadata, clock, ids)
  const keyCryptography = new KeyCryptography(metadata, keyAccess, ids)
  const secretAccess = new SecretAccess(metadata, access)
  const secretCipher = new SecretCipher(keyCryptography)
  const secretValues = new SecretValues(metadata, secretAccess, secretCipher, clock, ids)
  return {
    keyAliases: new KeyAliases(metadata, keyAccess, clock),
    keyCryptography,
    keyGrants: new KeyGrants(metadata, keyAccess, clock, ids),
    keyLifetimes: new KeyLifetimes(metadata, keyAccess, keys, clock),
    keyPolicies: new KeyPolicies(keyAccess, keys),
    keys,
    secrets: new Secrets({ metadata, access: secretAccess, keyAccess, values: secretValues, clock, ids }),
    secretValues,
    repositoryGrants,
    repositoryKeys: new RepositoryKeys(metadata, keyAccess, keys, repositoryGrants),
  }
}
