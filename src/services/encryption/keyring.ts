import { createHmac } from 'node:crypto'
import { isRegistryError } from '../../domain/errors.ts'
import { kmsKeyOf, layersOf, PLAIN, type Vault } from '../../domain/vault.ts'
import { AesGcm, KEY_BYTES } from '../../lib/aes-gcm.ts'
import type { Ids } from '../../lib/ids.ts'
import { SealBroken } from '../../lib/master-key.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { DataKey, VaultKeys } from '../../stores/vault-keys.ts'
import { secretOf } from '../secret-of.ts'
import { DataKeys } from './data-keys.ts'

const SERVER_KEY = 'server-encryption-key'
const NAMES_KEY = 'concealed-names-key'

/**
 * What opens vaults: the key of the installation, and the keys in KMS. No data key is remembered, so that a KMS key that is
 * disabled opens nothing from that moment on; it costs a look into the metadata each time.
 */
export class Keyring implements VaultKeys {
  readonly #metadata: MetadataStore
  readonly #ids: Ids
  readonly #dataKeys: DataKeys
  #serverKey: Promise<AesGcm> | undefined

  constructor(metadata: MetadataStore, ids: Ids) {
    this.#metadata = metadata
    this.#ids = ids
    this.#dataKeys = new DataKeys(metadata, ids)
  }

  /** Throws `kms-key-unusable` when the vault's key cannot be used now. */
  async check(vault: Vault): Promise<void> {
    const arn = kmsKeyOf(vault)
    if (arn !== undefined) await this.#dataKeys.check(arn)
  }

  async make(vault: Vault): Promise<DataKey> {
    if (vault === PLAIN) throw new Error('Nothing is encrypted in the plain vault')
    const arn = kmsKeyOf(vault)
    if (arn === undefined) {
      const key = this.#ids.secret(KEY_BYTES)
      return { key, wrapped: (await this.#server()).seal(key, serverContext(vault)) }
    }
    const keys: Uint8Array[] = []
    const wrapped: Uint8Array[] = []
    for (let layer = 0; layer < layersOf(vault); layer++) {
      const one = await this.#dataKeys.generate(arn, kmsContext(vault, layer))
      keys.push(one.plaintext)
      wrapped.push(one.wrapped)
    }
    return { key: Buffer.concat(keys), wrapped: join(wrapped) }
  }

  async unwrap(vault: Vault, wrapped: Uint8Array): Promise<Uint8Array> {
    const arn = kmsKeyOf(vault)
    if (arn === undefined) return (await this.#server()).open(wrapped, serverContext(vault))
    const parts = split(wrapped)
    if (parts.length !== layersOf(vault)) throw new SealBroken('The data key is of another vault')
    try {
      const keys: Uint8Array[] = []
      for (const [layer, part] of parts.entries())
        keys.push(await this.#dataKeys.unwrap(arn, part, kmsContext(vault, layer)))
      return Buffer.concat(keys)
    } catch (cause) {
      if (isRegistryError(cause, 'ciphertext-invalid')) throw new SealBroken('The data key was changed', { cause })
      throw cause
    }
  }

  /** Keyed, so that nobody who reads the metadata can try names. */
  async concealer(): Promise<(name: string) => string> {
    const key = await secretOf(this.#metadata, NAMES_KEY, this.#ids)
    return (name) => createHmac('sha256', key).update(name).digest('base64url')
  }

  /** Sealed by the master key where it lies; made when it is needed first. */
  #server(): Promise<AesGcm> {
    this.#serverKey ??= secretOf(this.#metadata, SERVER_KEY, this.#ids).then(
      (key) => new AesGcm(key),
      (thrown: unknown) => {
        this.#serverKey = undefined
        throw thrown
      },
    )
    return this.#serverKey
  }
}

function serverContext(vault: Vault): Uint8Array {
  return Buffer.from(`data key of ${vault}`)
}

/** With it, whoever may use the key can unwrap a data key by `kms Decrypt`. */
function kmsContext(vault: Vault, layer: number): Readonly<Record<string, string>> {
  return { 'ecru:vault': vault, 'ecru:layer': String(layer + 1) }
}

/** Each part behind its length, in two bytes. */
function join(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts.flatMap((part) => [new Uint8Array([part.byteLength >> 8, part.byteLength & 0xff]), part]))
}

function split(joined: Uint8Array): readonly Uint8Array[] {
  const parts: Uint8Array[] = []
  let at = 0
  while (at + 2 <= joined.byteLength) {
    const end = at + 2 + new DataView(joined.buffer, joined.byteOffset).getUint16(at)
    parts.push(joined.subarray(at + 2, end))
    at = end
  }
  return parts
}
