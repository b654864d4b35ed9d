import { partitionOf } from './arn.ts'
import type { Digest } from './digest.ts'
import type { Encryption } from './repository.ts'

/**
 * A domain of keys: content is shared by all who use the same one, and by nobody else. `''` holds what is not encrypted,
 * `server` what is encrypted by the key of the installation, `kms.<region>.<account>.<key id>` and `dsse.…` what is by a
 * KMS key, once or twice. Safe in a path.
 */
export type Vault = string & { readonly __brand: 'Vault' }

/** Where content lies as it came. */
export const PLAIN = '' as Vault
/** Where content lies that the key of the installation encrypts. */
export const SERVER_VAULT = 'server' as Vault

/** Which bytes are meant, wherever they lie: the same content in two vaults is stored twice. */
export interface BlobAddress {
  readonly vault: Vault
  readonly digest: Digest
}

const KEY_ARN = /^arn:(aws[a-z-]*):kms:([a-z0-9-]+):([0-9]{12}):key\/([a-z0-9-]{1,64})$/
const KMS_VAULT = /^(kms|dsse)\.([a-z0-9-]+)\.([0-9]{12})\.([a-z0-9-]{1,64})$/

/** Where new content of a repository goes. `isServerKeyUsed`: whether AES256 repositories are encrypted here. */
export function vaultOf(encryption: Encryption, isServerKeyUsed: boolean): Vault {
  if (encryption.type === 'AES256') return isServerKeyUsed ? SERVER_VAULT : PLAIN
  const [, partition, region = '', account = '', id = ''] = KEY_ARN.exec(encryption.kmsKeyArn) ?? []
  if (id === '' || partition !== partitionOf(region)) throw new Error(`${encryption.kmsKeyArn} names no KMS key`)
  return `${encryption.type === 'KMS' ? 'kms' : 'dsse'}.${region}.${account}.${id}` as Vault
}

/** The vault of that name, or `undefined` when there can be none. */
export function tryParseVault(text: string): Vault | undefined {
  return text === PLAIN || text === SERVER_VAULT || KMS_VAULT.test(text) ? (text as Vault) : undefined
}

/** The ARN of the KMS key of a vault, or `undefined` when it has none. */
export function kmsKeyOf(vault: Vault): string | undefined {
  const [, , region, account, id] = KMS_VAULT.exec(vault) ?? []
  return region && account && id ? `arn:${partitionOf(region)}:kms:${region}:${account}:key/${id}` : undefined
}

/** How many times content of a vault is encrypted, each time by a key of its own. */
export function layersOf(vault: Vault): 0 | 1 | 2 {
  if (vault === PLAIN) return 0
  return vault.startsWith('dsse.') ? 2 : 1
}

/** Whether two repositories may share what they hold: the same way of encryption, and the same key. */
export function isSameEncryption(one: Encryption, other: Encryption): boolean {
  return one.type === other.type && keyOf(one) === keyOf(other)
}

function keyOf(encryption: Encryption): string | undefined {
  return encryption.type === 'AES256' ? undefined : encryption.kmsKeyArn
}
