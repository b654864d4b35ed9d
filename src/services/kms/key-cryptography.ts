import { invalidParameter, isRegistryError } from '../../domain/errors.ts'
import { parseCiphertext } from '../../domain/kms/ciphertext.ts'
import { checkContext, type EncryptionContext } from '../../domain/kms/encryption-context.ts'
import {
  ciphertextInvalid,
  ciphertextKeyUnknown,
  dryRunSucceeded,
  keyIncorrect,
  keyUsageInvalid,
} from '../../domain/kms/errors.ts'
import { type KmsKey, keyArn } from '../../domain/kms/key.ts'
import type { Ids } from '../../lib/ids.ts'
import type { UsableKey } from '../../stores/keys.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { assertUsable } from '../encryption/data-keys.ts'
import type { KeyAccess, KeyAsk, KeyCaller } from './key-access.ts'
import { decryptWith, encryptWith } from './key-cipher.ts'

export const ALGORITHM = 'SYMMETRIC_DEFAULT'

const CHECKED_BYTES_MAX = 1024

/** What all cryptographic operations take. */
export interface CipherOptions {
  readonly context?: EncryptionContext | undefined
  readonly grantTokens?: readonly string[] | undefined
  readonly algorithm?: string | undefined
  /** Only says whether it would be done: by an error, either way. */
  readonly isDryRun?: boolean | undefined
}

/** What was done, and by which key. */
export interface Enciphered {
  readonly key: KmsKey
  readonly materialId: string
  readonly ciphertext: Uint8Array
}

/** Encrypts and decrypts by keys, for those who may. */
export class KeyCryptography {
  readonly #metadata: MetadataStore
  readonly #access: KeyAccess
  readonly #ids: Ids

  constructor(metadata: MetadataStore, access: KeyAccess, ids: Ids) {
    this.#metadata = metadata
    this.#access = access
    this.#ids = ids
  }

  /** Throws `key-disabled`, `key-state-invalid`, `key-usage-invalid`. */
  async encrypt(caller: KeyCaller, named: string, plaintext: Uint8Array, options: CipherOptions): Promise<Enciphered> {
    return this.#encrypt(caller, named, 'kms:Encrypt', plaintext, options)
  }

  /** `length` fresh bytes, and the same encrypted. */
  async generateDataKey(
    caller: KeyCaller,
    named: string,
    length: number,
    options: CipherOptions,
    isPlaintextWanted = true,
  ): Promise<Enciphered & { readonly plaintext: Uint8Array }> {
    if (length > CHECKED_BYTES_MAX)
      throw invalidParameter('numberOfBytes', `Member must have value less than or equal to ${CHECKED_BYTES_MAX}`)
    const action = isPlaintextWanted ? 'kms:GenerateDataKey' : 'kms:GenerateDataKeyWithoutPlaintext'
    const plaintext = this.#ids.secret(length)
    return { plaintext, ...(await this.#encrypt(caller, named, action, plaintext, options)) }
  }

  /**
   * Finds the key by the ciphertext itself; when one is named, it must be that one. Throws `ciphertext-invalid`, `key-incorrect`, and
   * `access-denied` also for a key that is not there.
   */
  async decrypt(
    caller: KeyCaller,
    named: string | undefined,
    bytes: Uint8Array,
    options: CipherOptions,
  ): Promise<{ readonly key: KmsKey; readonly materialId: string; readonly plaintext: Uint8Array }> {
    const { context = {}, grantTokens, algorithm, isDryRun } = options
    checkContext(context)
    const ask: KeyAsk = { action: 'kms:Decrypt', context, grantTokens, facts: algorithmFacts() }
    const ciphertext = parseCiphertext(bytes)
    const wanted = named === undefined ? undefined : await this.#access.find(caller, named, ask, true)
    if (wanted !== undefined && wanted.keyId !== ciphertext.keyId) throw keyIncorrect()
    const key = await this.#metadata.view.keys.find(ciphertext.keyId)
    if (key === undefined || key.home.region !== caller.region) throw ciphertextKeyUnknown()
    await this.#authorizeDecryption(caller, key, ask, named !== undefined)
    const arn = keyArn(key)
    if (algorithm !== undefined && algorithm !== ALGORITHM) throw keyUsageInvalid(arn, algorithm)
    const found = await this.#metadata.view.keys.findMaterial(key.keyId, ciphertext.materialId)
    assertUsable(arn, found?.key ?? (await this.#metadata.view.keys.find(key.keyId)))
    if (found === undefined) throw ciphertextInvalid()
    const plaintext = decryptWith(found.material, ciphertext, context)
    if (isDryRun === true) throw dryRunSucceeded()
    return { key, materialId: ciphertext.materialId, plaintext }
  }

  async #authorizeDecryption(caller: KeyCaller, key: KmsKey, ask: KeyAsk, isNamed: boolean): Promise<void> {
    try {
      await this.#access.authorize(caller, key, ask)
    } catch (thrown) {
      const isForeign = key.home.registryId !== caller.principal.accountId
      if (isForeign && !isNamed && isRegistryError(thrown, 'access-denied')) throw ciphertextKeyUnknown()
      throw thrown
    }
  }

  async #encrypt(
    caller: KeyCaller,
    named: string,
    action: KeyAsk['action'],
    plaintext: Uint8Array,
    { context = {}, grantTokens, algorithm, isDryRun }: CipherOptions,
  ): Promise<Enciphered> {
    checkContext(context)
    const key = await this.#access.get(caller, named, { action, context, grantTokens, facts: algorithmFacts() }, true)
    const arn = keyArn(key)
    if (algorithm !== undefined && algorithm !== ALGORITHM) throw keyUsageInvalid(arn, algorithm)
    const found: UsableKey | undefined = await this.#metadata.view.keys.findMaterial(key.keyId)
    assertUsable(arn, found?.key)
    if (found === undefined) throw new Error('A key has no material')
    if (isDryRun === true) throw dryRunSucceeded()
    const { material } = found
    return { key, materialId: material.materialId, ciphertext: encryptWith(key.keyId, material, plaintext, context) }
  }
}

function algorithmFacts(): NonNullable<KeyAsk['facts']> {
  return { 'kms:encryptionalgorithm': ALGORITHM }
}
