import { accessKeyIdOf, type KeyPrefix } from '../../domain/access-key-id.ts'
import type { RegistryId } from '../../domain/names.ts'
import type { Ids } from '../../lib/ids.ts'

/** A key pair as clients of AWS know it. */
export interface KeyPair {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** A new key pair of an account: an id that tells the account, and a secret of 240 random bits. */
export function newKeyPair(prefix: KeyPrefix, accountId: RegistryId, ids: Ids): KeyPair {
  return {
    accessKeyId: accessKeyIdOf(prefix, accountId, ids.secret(5)),
    secretAccessKey: Buffer.from(ids.secret(30)).toString('base64'),
  }
}
