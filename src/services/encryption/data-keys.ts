import { parseCiphertext } from '../../domain/kms/ciphertext.ts'
import type { EncryptionContext } from '../../domain/kms/encryption-context.ts'
import { asKmsFailure, ciphertextInvalid, keyDisabled, keyNotFound, keyStateInvalid } from '../../domain/kms/errors.ts'
import { type KmsKey, keyArn } from '../../domain/kms/key.ts'
import type { Ids } from '../../lib/ids.ts'
import type { UsableKey } from '../../stores/keys.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { decryptWith, encryptWith } from '../kms/key-cipher.ts'

const DATA_KEY_BYTES = 32

/** A key for data, and the same as only the key of KMS can read it. */
export interface WrappedDataKey {
  readonly plaintext: Uint8Array
  readonly wrapped: Uint8Array
}

/**
 * Data keys for what the registry itself encrypts by keys of KMS. Every method throws `kms-key-unusable`, with the reason that KMS
 * gives, when the key is disabled, about to be deleted, or gone. Who may have something encrypted is decided by those who ask.
 */
export class DataKeys {
  readonly #metadata: MetadataStore
  readonly #ids: Ids

  constructor(metadata: MetadataStore, ids: Ids) {
    this.#metadata = metadata
    this.#ids = ids
  }

  /** 32 fresh bytes, bound to the context. */
  async generate(arn: string, context: EncryptionContext): Promise<WrappedDataKey> {
    const { key, material } = await this.#usable(arn)
    const plaintext = this.#ids.secret(DATA_KEY_BYTES)
    return { plaintext, wrapped: encryptWith(key.keyId, material, plaintext, context) }
  }

  /** Throws also when the bytes were not wrapped by this key for this context. */
  async unwrap(arn: string, wrapped: Uint8Array, context: EncryptionContext): Promise<Uint8Array> {
    const ciphertext = parseCiphertext(wrapped)
    const { key, material } = await this.#usable(arn, ciphertext.materialId)
    if (key.keyId !== ciphertext.keyId) throw ciphertextInvalid()
    return decryptWith(material, ciphertext, context)
  }

  /** Costs one look, and no cryptography. */
  async check(arn: string): Promise<void> {
    try {
      assertUsable(arn, await this.#metadata.view.keys.find(keyIdOf(arn)))
    } catch (thrown) {
      throw asKmsFailure(thrown)
    }
  }

  async #usable(arn: string, materialId?: string): Promise<UsableKey> {
    try {
      const found = await this.#metadata.view.keys.findMaterial(keyIdOf(arn), materialId)
      if (found === undefined) {
        assertUsable(arn, await this.#metadata.view.keys.find(keyIdOf(arn)))
        throw ciphertextInvalid()
      }
      assertUsable(arn, found.key)
      return found
    } catch (thrown) {
      throw asKmsFailure(thrown)
    }
  }
}

/** Throws as KMS does for a key that cannot encrypt or decrypt. */
export function assertUsable(arn: string, key: KmsKey | undefined): asserts key is KmsKey {
  if (key === undefined || keyArn(key) !== arn) throw keyNotFound(arn)
  if (key.state === 'Disabled') throw keyDisabled(arn)
  if (key.state !== 'Enabled') throw keyStateInvalid(arn, key.state)
}

function keyIdOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1)
}
