import { createCipheriv, createDecipheriv, randomFillSync } from 'node:crypto'
import { freeMemory } from './free-memory.ts'
import { SealBroken } from './master-key.ts'

/** The bytes of one AES-256 key. */
export const KEY_BYTES = 32

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** By how much sealing once makes bytes longer. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES

/**
 * Encrypts and authenticates with AES-256-GCM, once for each of its keys, the first one innermost. What is sealed is the
 * nonce, the encrypted bytes and their tag; `context` is authenticated and not kept: it says what the bytes are, and they
 * open as nothing else.
 *
 * A nonce is random, 96 bits. A key that seals 2³² times repeats one with a probability of 2⁻³³; the keys of blobs seal
 * once for each 64 KiB.
 */
export class AesGcm {
  readonly #keys: readonly Uint8Array[]

  /** One key, or several one after the other. */
  constructor(keys: Uint8Array) {
    if (keys.byteLength === 0 || keys.byteLength % KEY_BYTES !== 0) throw new Error('AES-256 takes keys of 32 bytes')
    this.#keys = Array.from({ length: keys.byteLength / KEY_BYTES }, (_, index) =>
      keys.subarray(index * KEY_BYTES, (index + 1) * KEY_BYTES),
    )
  }

  /** Answers bytes that are the caller's. */
  seal(plain: Uint8Array, context: Uint8Array): Uint8Array<ArrayBuffer> {
    const [first = new Uint8Array(0), ...others] = this.#keys
    let sealed = sealOnce(first, plain, context)
    for (const key of others) {
      const inner = sealed
      sealed = sealOnce(key, inner, context)
      freeMemory(inner)
    }
    return sealed
  }

  /** Throws `SealBroken`. */
  open(sealed: Uint8Array, context: Uint8Array): Uint8Array<ArrayBuffer> {
    const [last = new Uint8Array(0), ...others] = this.#keys.toReversed()
    let plain = openOnce(last, sealed, context)
    for (const key of others) plain = openOnce(key, plain, context)
    return plain
  }
}

function sealOnce(key: Uint8Array, plain: Uint8Array, context: Uint8Array): Uint8Array<ArrayBuffer> {
  const sealed = new Uint8Array(SEAL_BYTES + plain.byteLength)
  const nonce = randomFillSync(sealed.subarray(0, NONCE_BYTES))
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(context)
  const encrypted = cipher.update(plain)
  sealed.set(encrypted, NONCE_BYTES)
  freeMemory(encrypted)
  cipher.final()
  sealed.set(cipher.getAuthTag(), NONCE_BYTES + plain.byteLength)
  return sealed
}

function openOnce(key: Uint8Array, sealed: Uint8Array, context: Uint8Array): Uint8Array<ArrayBuffer> {
  const end = sealed.byteLength - TAG_BYTES
  if (end < NONCE_BYTES) throw new SealBroken('Sealed bytes are cut off')
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(context)
  decipher.setAuthTag(sealed.subarray(end))
  const plain = decipher.update(sealed.subarray(NONCE_BYTES, end))
  try {
    decipher.final()
  } catch (cause) {
    throw new SealBroken('Sealed bytes were changed, moved or sealed by another key', { cause })
  }
  return plain
}
