import type { Digest } from '../../domain/digest.ts'
import { layersOf, tryParseVault, type Vault } from '../../domain/vault.ts'
import { AesGcm, SEAL_BYTES } from '../../lib/aes-gcm.ts'
import { SealBroken } from '../../lib/master-key.ts'

/*
 * A sealed blob, as drivers store it:
 *
 *   header, 1024 bytes
 *     0    "ECRUSEAL"
 *     8    version: 1
 *     9    how many times everything is encrypted, each time by a key of its own: 1 or 2
 *     10   the size of a chunk, as a power of two: 16
 *     11   0
 *     12   length of the vault's name (2 bytes, as all numbers big-endian)
 *     14   length of the wrapped data key (2 bytes)
 *     16   the vault's name, the wrapped data key, zeros
 *     968  a seal over all that (28 bytes, or twice that), then zeros
 *   chunks of 64 KiB, each sealed: nonce, encrypted bytes, tag
 *   the last chunk, of 0 to 65535 bytes, sealed
 *
 * A chunk is sealed as what it is: its number, whether it is the last one, and the last one also the digest of the blob.
 * So chunks cannot change places, nor come from another blob, whose data key differs, and a blob cannot be cut off
 * between two chunks, nor stand in for another one. Sizes follow from the size of the whole.
 *
 * While it is staged, there is no last chunk: what does not fill a chunk is sealed in a note beside the chunks, with the
 * number of the chunk that it begins. Whole chunks are written once and never again; a note is out of date once the
 * chunk is there. No nonce is used twice, since every nonce is random.
 */
export const HEADER_BYTES = 1024
export const CHUNK_BYTES = 65536

const MAGIC = Buffer.from('ECRUSEAL')
const VERSION = 1
const CHUNK_POWER = 16
const NAMES_AT = 16
const SEAL_AT = 968
const NOTE_NUMBER_BYTES = 8

const KIND = { header: 0, chunk: 1, lastChunk: 2, staged: 3 } as const
const NOTHING = new Uint8Array(0)

/** The sizes of what one vault stores. */
export class SealedSizes {
  /** How much longer a chunk is when sealed. */
  readonly sealBytes: number
  /** A whole chunk, sealed. */
  readonly frameBytes: number

  constructor(vault: Vault) {
    this.sealBytes = layersOf(vault) * SEAL_BYTES
    this.frameBytes = CHUNK_BYTES + this.sealBytes
  }

  /** How many whole chunks there are in so many bytes, and what remains behind them. */
  split(storedBytes: number): { readonly chunks: number; readonly restBytes: number } {
    const bodyBytes = Math.max(0, storedBytes - HEADER_BYTES)
    const chunks = Math.floor(bodyBytes / this.frameBytes)
    return { chunks, restBytes: bodyBytes - chunks * this.frameBytes }
  }

  /** Where the chunk of that number begins. */
  offsetOf(chunk: number): number {
    return HEADER_BYTES + chunk * this.frameBytes
  }

  /** The size of the content of a sealed blob. One that was cut off looks as if its last chunk were empty. */
  plainBytes(storedBytes: number): number {
    const { chunks, restBytes } = this.split(storedBytes)
    return chunks * CHUNK_BYTES + Math.max(0, restBytes - this.sealBytes)
  }

  /** The size of what a note holds for the chunk of that number, if it is for that one. */
  notedBytes(note: Uint8Array | undefined, chunk: number): number {
    if (note === undefined || note.byteLength < NOTE_NUMBER_BYTES + this.sealBytes) return 0
    return numberIn(note) === chunk ? note.byteLength - NOTE_NUMBER_BYTES - this.sealBytes : 0
  }
}

/** Seals and opens the parts of one blob. */
export class BlobSealer {
  readonly #cipher: AesGcm

  constructor(key: Uint8Array) {
    this.#cipher = new AesGcm(key)
  }

  sealChunk(plain: Uint8Array, chunk: number): Uint8Array<ArrayBuffer> {
    return this.#cipher.seal(plain, contextOf(KIND.chunk, chunk))
  }

  sealLast(plain: Uint8Array, chunk: number, digest: Digest): Uint8Array<ArrayBuffer> {
    return this.#cipher.seal(plain, contextOf(KIND.lastChunk, chunk, digest))
  }

  /** Throws `SealBroken`, as the others that open. */
  openChunk(sealed: Uint8Array, chunk: number): Uint8Array<ArrayBuffer> {
    return this.#cipher.open(sealed, contextOf(KIND.chunk, chunk))
  }

  openLast(sealed: Uint8Array, chunk: number, digest: Digest): Uint8Array<ArrayBuffer> {
    return this.#cipher.open(sealed, contextOf(KIND.lastChunk, chunk, digest))
  }

  /** A note of the bytes that begin a chunk. */
  sealNote(plain: Uint8Array, chunk: number): Uint8Array<ArrayBuffer> {
    const sealed = this.#cipher.seal(plain, contextOf(KIND.staged, chunk))
    const note = new Uint8Array(NOTE_NUMBER_BYTES + sealed.byteLength)
    new DataView(note.buffer).setBigUint64(0, BigInt(chunk))
    note.set(sealed, NOTE_NUMBER_BYTES)
    return note
  }

  openNote(note: Uint8Array, chunk: number): Uint8Array<ArrayBuffer> {
    return this.#cipher.open(note.subarray(NOTE_NUMBER_BYTES), contextOf(KIND.staged, chunk))
  }

  /** The header of a blob of that vault, whose data key is the one given here. */
  header(vault: Vault, wrapped: Uint8Array): Uint8Array<ArrayBuffer> {
    const name = Buffer.from(vault)
    if (NAMES_AT + name.byteLength + wrapped.byteLength > SEAL_AT) throw new Error('The wrapped data key is too long')
    const header = new Uint8Array(HEADER_BYTES)
    header.set(MAGIC)
    header.set([VERSION, layersOf(vault), CHUNK_POWER, 0], MAGIC.byteLength)
    const view = new DataView(header.buffer)
    view.setUint16(12, name.byteLength)
    view.setUint16(14, wrapped.byteLength)
    header.set(name, NAMES_AT)
    header.set(wrapped, NAMES_AT + name.byteLength)
    header.set(this.#cipher.seal(NOTHING, headerContext(header)), SEAL_AT)
    return header
  }

  checkHeader(header: Uint8Array, vault: Vault): void {
    const sealBytes = layersOf(vault) * SEAL_BYTES
    this.#cipher.open(header.subarray(SEAL_AT, SEAL_AT + sealBytes), headerContext(header))
    if (header.subarray(SEAL_AT + sealBytes).some((byte) => byte !== 0)) throw new SealBroken('The header was changed')
  }
}

/** The wrapped data key in a header of that vault, not yet checked. Throws `SealBroken`. */
export function wrappedKeyIn(header: Uint8Array, vault: Vault): Uint8Array {
  if (header.byteLength !== HEADER_BYTES || MAGIC.compare(header, 0, MAGIC.byteLength) !== 0)
    throw new SealBroken('There is no header where one belongs')
  const [version, layers, power] = header.subarray(MAGIC.byteLength)
  if (version !== VERSION || layers !== layersOf(vault) || power !== CHUNK_POWER)
    throw new SealBroken('The header is of a form that this version does not know')
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const nameEnd = NAMES_AT + view.getUint16(12)
  const keyEnd = nameEnd + view.getUint16(14)
  if (keyEnd > SEAL_AT) throw new SealBroken('The header was changed')
  const name = Buffer.from(header.subarray(NAMES_AT, nameEnd)).toString()
  if (tryParseVault(name) !== vault) throw new SealBroken('The header is of another vault')
  return header.slice(nameEnd, keyEnd)
}

function headerContext(header: Uint8Array): Uint8Array {
  return Buffer.concat([contextOf(KIND.header, 0), header.subarray(0, SEAL_AT)])
}

function contextOf(kind: number, chunk: number, digest?: Digest): Uint8Array {
  const name = digest === undefined ? NOTHING : Buffer.from(digest)
  const context = new Uint8Array(9 + name.byteLength)
  context[0] = kind
  new DataView(context.buffer).setBigUint64(1, BigInt(chunk))
  context.set(name, 9)
  return context
}

function numberIn(note: Uint8Array): number {
  return Number(new DataView(note.buffer, note.byteOffset).getBigUint64(0))
}
