import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { type Ciphertext, ciphertextHeader } from '../../domain/kms/ciphertext.ts'
import { canonicalContext, type EncryptionContext } from '../../domain/kms/encryption-context.ts'
import { ciphertextInvalid } from '../../domain/kms/errors.ts'
import type { KeyMaterial } from '../../domain/kms/key.ts'

const ALGORITHM = 'aes-256-gcm'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Encrypts by a key's material, so that `parseCiphertext` can tell by which. Header and context are authenticated. */
export function encryptWith(
  keyId: string,
  { materialId, bytes }: KeyMaterial,
  plaintext: Uint8Array,
  context: EncryptionContext,
): Uint8Array {
  const header = ciphertextHeader(keyId, materialId)
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv(ALGORITHM, bytes, nonce)
  cipher.setAAD(authenticated(header, context))
  const body = [cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]
  return new Uint8Array(Buffer.concat([header, nonce, ...body]))
}

/** Throws `ciphertext-invalid`, whatever is wrong. */
export function decryptWith({ bytes }: KeyMaterial, ciphertext: Ciphertext, context: EncryptionContext): Uint8Array {
  const { header, nonce, body } = ciphertext
  const end = body.length - TAG_BYTES
  const decipher = createDecipheriv(ALGORITHM, bytes, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(authenticated(header, context))
  decipher.setAuthTag(body.subarray(end))
  try {
    return new Uint8Array(Buffer.concat([decipher.update(body.subarray(0, end)), decipher.final()]))
  } catch {
    throw ciphertextInvalid()
  }
}

function authenticated(header: Uint8Array, context: EncryptionContext): Uint8Array {
  return Buffer.concat([header, new TextEncoder().encode(canonicalContext(context))])
}
