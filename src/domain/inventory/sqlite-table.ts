import { ByteReader } from './byte-reader.ts'
import { MalformedFile, textOf } from './malformed-file.ts'

const MAGIC = 'SQLite format 3\0'
const LEAF = 0x0d
const INTERIOR = 0x05
const MAX_DEPTH = 32

/** A column as SQLite stores it; numbers beyond 48 bits and fractions are of no interest here. */
export type SqliteValue = number | Uint8Array | string | undefined

export function isSqlite(bytes: Uint8Array): boolean {
  return bytes.length >= 100 && textOf(bytes.subarray(0, MAGIC.length)) === MAGIC
}

/**
 * The rows of one table of an SQLite file, after https://www.sqlite.org/fileformat2.html. Reads bytes only: a hostile
 * file meets no database engine. What a write-ahead log beside the file holds is not seen.
 */
export function* sqliteRows(bytes: Uint8Array, table: string): Generator<readonly SqliteValue[]> {
  if (!isSqlite(bytes)) throw new MalformedFile('it is no SQLite file')
  const file = new SqliteFile(bytes)
  for (const [type, name, , rootPage] of file.rows(1))
    if (type === 'table' && name === table && typeof rootPage === 'number') {
      yield* file.rows(rootPage)
      return
    }
  throw new MalformedFile(`it has no table ${table}`)
}

class SqliteFile {
  readonly #reader: ByteReader
  readonly #pageBytes: number
  readonly #usableBytes: number

  constructor(bytes: Uint8Array) {
    this.#reader = new ByteReader(bytes, 'big-endian')
    const stated = this.#reader.u16(16)
    this.#pageBytes = stated === 1 ? 65_536 : stated
    if (this.#pageBytes < 512 || (this.#pageBytes & (this.#pageBytes - 1)) !== 0)
      throw new MalformedFile('its page size is impossible')
    this.#usableBytes = this.#pageBytes - this.#reader.u8(20)
    if (this.#usableBytes < 480) throw new MalformedFile('its pages have no room')
  }

  *rows(rootPage: number): Generator<readonly SqliteValue[]> {
    const used = new Set<number>()
    yield* this.#page(rootPage, used, 0)
  }

  *#page(page: number, used: Set<number>, depth: number): Generator<readonly SqliteValue[]> {
    if (used.has(page) || depth > MAX_DEPTH) throw new MalformedFile('its pages go round in a circle')
    used.add(page)
    const start = this.#startOf(page)
    const header = page === 1 ? start + 100 : start
    const type = this.#reader.u8(header)
    const cellCount = this.#reader.u16(header + 3)
    if (type !== LEAF && type !== INTERIOR) throw new MalformedFile('a page is of an unknown kind')
    const pointers = header + (type === LEAF ? 8 : 12)
    if (pointers + cellCount * 2 > start + this.#pageBytes) throw new MalformedFile('a page holds too many cells')
    for (let cell = 0; cell < cellCount; cell++) {
      const at = start + this.#reader.u16(pointers + cell * 2)
      if (type === INTERIOR) yield* this.#page(this.#reader.u32(at), used, depth + 1)
      else yield this.#record(this.#payload(at, used))
    }
    if (type === INTERIOR) yield* this.#page(this.#reader.u32(header + 8), used, depth + 1)
  }

  #startOf(page: number): number {
    const start = (page - 1) * this.#pageBytes
    if (page < 1 || start + this.#pageBytes > this.#reader.length) throw new MalformedFile('it ends too early')
    return start
  }

  /** The payload of a leaf cell, which goes on in overflow pages when it is long. */
  #payload(at: number, used: Set<number>): Uint8Array {
    const [size, afterSize] = this.#varint(this.#reader, at)
    const [, local] = this.#varint(this.#reader, afterSize)
    if (size > this.#reader.length) throw new MalformedFile('a record is larger than the file')
    const usable = this.#usableBytes
    const most = usable - 35
    if (size <= most) return this.#reader.slice(local, size)
    const least = Math.floor(((usable - 12) * 32) / 255) - 23
    const fitting = least + ((size - least) % (usable - 4))
    const localBytes = fitting <= most ? fitting : least
    const payload = new Uint8Array(size)
    payload.set(this.#reader.slice(local, localBytes))
    let filled = localBytes
    for (let page = this.#reader.u32(local + localBytes); filled < size; ) {
      if (used.has(page)) throw new MalformedFile('its pages go round in a circle')
      used.add(page)
      const start = this.#startOf(page)
      const length = Math.min(usable - 4, size - filled)
      payload.set(this.#reader.slice(start + 4, length), filled)
      filled += length
      page = this.#reader.u32(start)
    }
    return payload
  }

  #record(payload: Uint8Array): readonly SqliteValue[] {
    const reader = new ByteReader(payload, 'big-endian')
    const [headerBytes, first] = this.#varint(reader, 0)
    const values: SqliteValue[] = []
    let body = headerBytes
    for (let at = first; at < headerBytes; ) {
      const [type, next] = this.#varint(reader, at)
      at = next
      const length = lengthOf(type)
      const bytes = reader.slice(body, length)
      body += length
      values.push(columnOf(type, bytes))
    }
    return values
  }

  #varint(reader: ByteReader, at: number): readonly [value: number, next: number] {
    let value = 0
    for (let index = 0; index < 9; index++) {
      const byte = reader.u8(at + index)
      value = index === 8 ? value * 256 + byte : value * 128 + (byte & 0x7f)
      if (index === 8 || byte < 0x80) return [value, at + index + 1]
    }
    throw new MalformedFile('a number in it does not end')
  }
}

const INTEGER_BYTES = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0]

function lengthOf(serialType: number): number {
  if (serialType >= 12) return Math.floor((serialType - 12) / 2)
  const length = INTEGER_BYTES[serialType]
  if (length === undefined) throw new MalformedFile('a column is of an unknown type')
  return length
}

function columnOf(serialType: number, bytes: Uint8Array): SqliteValue {
  if (serialType >= 12) return serialType % 2 === 0 ? bytes : textOf(bytes)
  if (serialType === 8) return 0
  if (serialType === 9) return 1
  if (serialType === 0 || serialType > 5) return undefined
  return bytes.reduce((value, byte) => value * 256 + byte, 0)
}
