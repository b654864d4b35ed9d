import { ciphertextInvalid } from './errors.ts'

const VERSION = 1
const KEY_ID_BYTES = 16
const MATERIAL_ID_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + KEY_ID_BYTES + MATERIAL_ID_BYTES

/** What KMS hands out: it says by itself with what it can be decrypted. */
export interface Ciphertext {
  readonly keyId: string
  readonly materialId: string
  /** All that says so; authenticated together with the context. */
  readonly header: Uint8Array
  readonly nonce: Uint8Array
  /** Encrypted, with its tag behind it. */
  readonly body: Uint8Array
}

/** What a ciphertext of this key and material begins with. */
export function ciphertextHeader(keyId: string, materialId: string): Uint8Array {
  const bytes = [Uint8Array.of(VERSION), Uint8Array.fromHex(keyId.replaceAll('-', '')), Uint8Array.fromHex(materialId)]
  return Uint8Array.from(bytes.flatMap((part) => [...part]))
}

/** Throws `ciphertext-invalid`. */
export function parseCiphertext(bytes: Uint8Array): Ciphertext {
  if (bytes[0] !== VERSION || bytes.length < HEADER_BYTES + NONCE_BYTES + TAG_BYTES) throw ciphertextInvalid()
  const keyHex = bytes.subarray(1, 1 + KEY_ID_BYTES).toHex()
  return {
    keyId: keyHex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    materialId: bytes.subarray(1 + KEY_ID_BYTES, HEADER_BYTES).toHex(),
    header: bytes.subarray(0, HEADER_BYTES),
    nonce: bytes.subarray(HEADER_BYTES, HEADER_BYTES + NONCE_BYTES),
    body: bytes.subarray(HEADER_BYTES + NONCE_BYTES),
  }
}
