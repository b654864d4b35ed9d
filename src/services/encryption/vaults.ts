import type { Digest } from '../../domain/digest.ts'
import type { KeptManifest } from '../../domain/image.ts'
import type { Repository } from '../../domain/repository.ts'
import { PLAIN, type Vault, vaultOf } from '../../domain/vault.ts'
import { AesGcm } from '../../lib/aes-gcm.ts'
import { SealBroken } from '../../lib/master-key.ts'
import type { Keyring } from './keyring.ts'
import type { RepositoryGrants, RepositoryOperation } from './repository-grants.ts'

const VERSION = 1
const KEY_AT = 3

/** In which vaults repositories keep what is theirs, and what is sealed there. Blobs are the blob store's. */
export class Vaults {
  readonly #keyring: Keyring
  readonly #isServerKeyUsed: boolean
  readonly #grants: RepositoryGrants

  /** `isServerKeyUsed`: whether new content of AES256 repositories is encrypted. */
  constructor(keyring: Keyring, grants: RepositoryGrants, isServerKeyUsed: boolean) {
    this.#keyring = keyring
    this.#grants = grants
    this.#isServerKeyUsed = isServerKeyUsed
  }

  /** Where new content of a repository goes. */
  vaultOf({ encryption }: Repository): Vault {
    return vaultOf(encryption, this.#isServerKeyUsed)
  }

  /** Throws `kms-key-unusable` when the owner of the repository's key has taken back what allows that. */
  async admit(repository: Repository, operation: RepositoryOperation): Promise<void> {
    if (repository.encryption.type !== 'AES256') await this.#grants.assert(repository, operation)
  }

  /** Throws `kms-key-unusable` when what is in the vault cannot be read now. */
  async check(vault: Vault): Promise<void> {
    if (vault !== PLAIN) await this.#keyring.check(vault)
  }

  /** A manifest as a vault keeps it: by a data key of its own, bound to its digest. Throws `kms-key-unusable`. */
  async sealManifest(vault: Vault, digest: Digest, manifest: Uint8Array): Promise<Uint8Array> {
    return await this.seal(vault, contextOf(digest), manifest)
  }

  /** The manifest as it was pushed. Throws `kms-key-unusable`, `SealBroken`. */
  async openManifest({ image, vault, body }: KeptManifest): Promise<Uint8Array> {
    return await this.open(vault, contextOf(image.digest), body)
  }

  /** Bytes as a vault keeps them: by a data key of their own, bound to what they are. Throws `kms-key-unusable`. */
  async seal(vault: Vault, context: string, bytes: Uint8Array): Promise<Uint8Array> {
    if (vault === PLAIN) return bytes
    const { key, wrapped } = await this.#keyring.make(vault)
    const sealed = new AesGcm(key).seal(bytes, Buffer.from(context))
    const kept = new Uint8Array(KEY_AT + wrapped.byteLength + sealed.byteLength)
    kept[0] = VERSION
    new DataView(kept.buffer).setUint16(1, wrapped.byteLength)
    kept.set(wrapped, KEY_AT)
    kept.set(sealed, KEY_AT + wrapped.byteLength)
    return kept
  }

  /** The bytes that `seal` was given. Throws `kms-key-unusable`, and `SealBroken` also for what is something else. */
  async open(vault: Vault, context: string, kept: Uint8Array): Promise<Uint8Array> {
    if (vault === PLAIN) return kept
    if (kept.byteLength < KEY_AT || kept[0] !== VERSION)
      throw new SealBroken(`The ${context} is sealed in a form that this version does not know`)
    const end = KEY_AT + new DataView(kept.buffer, kept.byteOffset).getUint16(1)
    const key = await this.#keyring.unwrap(vault, kept.subarray(KEY_AT, end))
    return new AesGcm(key).open(kept.subarray(end), Buffer.from(context))
  }

  /** Makes of names what tells them apart and says nothing of them, always the same. */
  async concealer(): Promise<(name: string) => string> {
    return await this.#keyring.concealer()
  }
}

function contextOf(digest: Digest): string {
  return `manifest ${digest}`
}
