import { keyArn } from '../../domain/kms/key.ts'
import { asSecretFailure } from '../../domain/secrets/errors.ts'
import { type ManagedSecret, type SecretVersion, secretArn } from '../../domain/secrets/secret.ts'
import { AesGcm, KEY_BYTES } from '../../lib/aes-gcm.ts'
import type { KeyCryptography } from '../kms/key-cryptography.ts'
import type { SecretCaller } from './secret-access.ts'

/** A value as callers give and take it. */
export type SecretValue =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }

const TEXT = 0
const BYTES = 1

type Encrypted = Pick<SecretVersion, 'body' | 'kmsKeyArn' | 'wrappedKey'>

/** Encrypts values by the key of KMS that their secret names, in the caller's name. Without a key, the store's seal protects them. */
export class SecretCipher {
  readonly #cryptography: KeyCryptography

  constructor(cryptography: KeyCryptography) {
    this.#cryptography = cryptography
  }

  /** Throws `secret-encryption-failed`, and `access-denied` of the key. */
  async encrypt(caller: SecretCaller, secret: SealedFor, versionId: string, value: SecretValue): Promise<Encrypted> {
    const plain = encode(value)
    if (secret.kmsKeyArn === undefined) return { body: plain }
    try {
      const options = { context: contextOf(secret, versionId) }
      const made = await this.#cryptography.generateDataKey(viaService(caller), secret.kmsKeyArn, KEY_BYTES, options)
      const body = new AesGcm(made.plaintext).seal(plain, associated(versionId))
      return { body, kmsKeyArn: keyArn(made.key), wrappedKey: made.ciphertext }
    } catch (thrown) {
      throw asSecretFailure(thrown, true)
    }
  }

  /** Throws `secret-decryption-failed`, and `access-denied` of the key. */
  async decrypt(caller: SecretCaller, secret: SealedFor, version: SecretVersion): Promise<SecretValue> {
    const { versionId, body, kmsKeyArn, wrappedKey } = version
    if (kmsKeyArn === undefined || wrappedKey === undefined) return decode(body)
    try {
      const options = { context: contextOf(secret, versionId) }
      const key = await this.#cryptography.decrypt(viaService(caller), kmsKeyArn, wrappedKey, options)
      return decode(new AesGcm(key.plaintext).open(body, associated(versionId)))
    } catch (thrown) {
      throw asSecretFailure(thrown, false)
    }
  }
}

type SealedFor = Pick<ManagedSecret, 'home' | 'name' | 'suffix' | 'kmsKeyArn'>

export function isSameValue(one: SecretValue, other: SecretValue): boolean {
  return Buffer.compare(encode(one), encode(other)) === 0
}

function contextOf(secret: SealedFor, versionId: string): Readonly<Record<string, string>> {
  return { SecretARN: secretArn(secret), SecretVersionId: versionId }
}

function associated(versionId: string): Uint8Array {
  return new TextEncoder().encode(`secret version ${versionId}`)
}

function viaService(caller: SecretCaller): SecretCaller {
  return { ...caller, viaService: `secretsmanager.${caller.region}.amazonaws.com` }
}

function encode(value: SecretValue): Uint8Array {
  const bytes = value.kind === 'text' ? new TextEncoder().encode(value.text) : value.bytes
  return Uint8Array.of(value.kind === 'text' ? TEXT : BYTES, ...bytes)
}

function decode(body: Uint8Array): SecretValue {
  const bytes = body.slice(1)
  return body[0] === TEXT ? { kind: 'text', text: new TextDecoder().decode(bytes) } : { kind: 'bytes', bytes }
}
