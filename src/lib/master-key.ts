import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto'

export const MASTER_KEY_BYTES = 32

const VERSION = 1
const ID_BYTES = 8
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + ID_BYTES + NONCE_BYTES
/** How much longer what is sealed is than what it holds. */
export const SEAL_BYTES = HEADER_BYTES + TAG_BYTES
const ALGORITHM = 'aes-256-gcm'

/** What was sealed cannot be opened: with another key, for another purpose, or it was changed. Says nothing of what it holds. */
export class SealBroken extends Error {
  override readonly name = 'SealBroken'
}

/** Keeps secrets unreadable where they lie. */
export interface Sealer {
  /** `context` says what the secret is for; opening takes the same one. */
  seal(plaintext: Uint8Array, context: string): Uint8Array
  /** Throws `SealBroken`. */
  open(sealed: Uint8Array, context: string): Uint8Array
  /** Whether `seal` would use the same key today. */
  isCurrent(sealed: Uint8Array): boolean
}

/**
 * The key that seals all other secrets of an installation, and the earlier ones that still open what they sealed. Sealed is,
 * one after the other: a version, the key's id, a nonce, the secret under AES-256-GCM, and its tag; all of it, and the context, is
 * authenticated.
 */
export class MasterKey implements Sealer {
  readonly #current: NamedKey
  readonly #keys: ReadonlyMap<string, Uint8Array>

  /** The first key seals. Each has 32 bytes, which it is up to the caller to have kept from others. */
  constructor(first: Uint8Array, ...earlier: readonly Uint8Array[]) {
    this.#current = named(first)
    this.#keys = new Map([first, ...earlier].map((bytes) => [named(bytes).id.toHex(), bytes]))
  }

  /** By which keys are told apart; says nothing about the key. */
  get id(): string {
    return this.#current.id.toHex()
  }

  seal(plaintext: Uint8Array, context: string): Uint8Array {
    const header = new Uint8Array([VERSION, ...this.#current.id, ...randomBytes(NONCE_BYTES)])
    const cipher = createCipheriv(ALGORITHM, this.#current.bytes, header.subarray(1 + ID_BYTES))
    cipher.setAAD(authenticated(header, context))
    return new Uint8Array(Buffer.concat([header, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]))
  }

  open(sealed: Uint8Array, context: string): Uint8Array {
    const end = sealed.length - TAG_BYTES
    if (end < HEADER_BYTES || sealed[0] !== VERSION) throw new SealBroken('This is nothing that was sealed here')
    const header = sealed.subarray(0, HEADER_BYTES)
    const id = idOf(sealed)
    const key = this.#keys.get(id)
    if (key === undefined) throw new SealBroken(`It was sealed with the key ${id}, which is not at hand`)
    const decipher = createDecipheriv(ALGORITHM, key, header.subarray(1 + ID_BYTES), { authTagLength: TAG_BYTES })
    decipher.setAAD(authenticated(header, context))
    decipher.setAuthTag(sealed.subarray(end))
    try {
      return new Uint8Array(Buffer.concat([decipher.update(sealed.subarray(HEADER_BYTES, end)), decipher.final()]))
    } catch {
      throw new SealBroken(`What the key ${id} sealed was changed, or is used for something else`)
    }
  }

  isCurrent(sealed: Uint8Array): boolean {
    return idOf(sealed) === this.id
  }
}

/** A text that `sealText` made. */
export function openText(sealer: Sealer, sealed: string, context: string): string {
  return new TextDecoder().decode(sealer.open(Buffer.from(sealed, 'base64'), context))
}

/** The same for texts: base64. */
export function sealText(sealer: Sealer, plaintext: string, context: string): string {
  return sealer.seal(new TextEncoder().encode(plaintext), context).toBase64()
}

interface NamedKey {
  readonly id: Uint8Array
  readonly bytes: Uint8Array
}

function named(bytes: Uint8Array): NamedKey {
  if (bytes.length !== MASTER_KEY_BYTES) throw new RangeError(`A master key has ${MASTER_KEY_BYTES} bytes`)
  const id = createHmac('sha256', bytes).update('ecru master key id').digest().subarray(0, ID_BYTES)
  return { id: new Uint8Array(id), bytes }
}

function idOf(sealed: Uint8Array): string {
  return sealed.subarray(1, 1 + ID_BYTES).toHex()
}

function authenticated(header: Uint8Array, context: string): Uint8Array {
  return Buffer.concat([header, new TextEncoder().encode(context)])
}
