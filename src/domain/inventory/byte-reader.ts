import { MalformedFile, textOf } from './malformed-file.ts'

/** Reads numbers and slices at given places, and throws {@link MalformedFile} for every place outside. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  readonly #isLittleEndian: boolean

  constructor(bytes: Uint8Array, order: 'little-endian' | 'big-endian') {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#isLittleEndian = order === 'little-endian'
  }

  get length(): number {
    return this.bytes.length
  }

  u8(at: number): number {
    return this.#view.getUint8(this.#checked(at, 1))
  }

  u16(at: number): number {
    return this.#view.getUint16(this.#checked(at, 2), this.#isLittleEndian)
  }

  u32(at: number): number {
    return this.#view.getUint32(this.#checked(at, 4), this.#isLittleEndian)
  }

  /** Of sizes and places, which fit a double or mean nothing. */
  u64(at: number): number {
    const value = Number(this.#view.getBigUint64(this.#checked(at, 8), this.#isLittleEndian))
    if (!Number.isSafeInteger(value)) throw new MalformedFile('a number in it is too large')
    return value
  }

  /** A view, not a copy. */
  slice(at: number, length: number): Uint8Array {
    this.#checked(at, length)
    return this.bytes.subarray(at, at + length)
  }

  text(at: number, length: number): string {
    return textOf(this.slice(at, length))
  }

  /** A text that a zero byte ends, within `limit` bytes. */
  zeroEnded(at: number, limit = this.length - at): string {
    const area = this.slice(at, Math.min(limit, Math.max(0, this.length - at)))
    const end = area.indexOf(0)
    return textOf(end < 0 ? area : area.subarray(0, end))
  }

  #checked(at: number, length: number): number {
    if (!(at >= 0 && length >= 0 && at + length <= this.bytes.length)) throw new MalformedFile('it ends too early')
    return at
  }
}
