import { ByteReader } from './byte-reader.ts'
import { MalformedFile } from './malformed-file.ts'

const HASH_MAGIC = 0x00_06_15_61
const PAGE_HEADER_BYTES = 26
const PAGE_HASH_UNSORTED = 2
const PAGE_OVERFLOW = 7
const PAGE_HASH = 13
const ITEM_KEY_DATA = 1
const ITEM_OFF_PAGE = 3
/** Values shorter than this are rpm's own counters, not package headers. */
const SMALLEST_HEADER_BYTES = 24

/**
 * The values of a Berkeley DB hash file (`Packages` up to rpm 4.15), each one a package header.
 * Layout: page 0 describes the file; hash pages hold keys and values in turn; large values are chains of overflow pages.
 */
export function* berkeleyValues(bytes: Uint8Array): Generator<Uint8Array> {
  const reader = new ByteReader(bytes, berkeleyByteOrder(bytes) ?? 'little-endian')
  if (reader.u32(12) !== HASH_MAGIC) throw new MalformedFile('it is no Berkeley DB hash file')
  const pageBytes = reader.u32(20)
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0)
    throw new MalformedFile('its page size is impossible')
  if (reader.u8(24) !== 0) throw new MalformedFile('it is encrypted')
  const pageCount = reader.u32(32) + 1
  if (pageCount * pageBytes > reader.length) throw new MalformedFile('it ends too early')
  const used = new Set<number>()

  for (let page = 0; page < pageCount; page++) {
    const start = page * pageBytes
    const type = reader.u8(start + 25)
    if (type !== PAGE_HASH && type !== PAGE_HASH_UNSORTED) continue
    const entryCount = reader.u16(start + 20)
    if (PAGE_HEADER_BYTES + entryCount * 2 > pageBytes) throw new MalformedFile('a page holds too many entries')
    for (let entry = 1; entry < entryCount; entry += 2) {
      const at = reader.u16(start + PAGE_HEADER_BYTES + entry * 2)
      const before = reader.u16(start + PAGE_HEADER_BYTES + (entry - 1) * 2)
      if (at >= pageBytes) throw new MalformedFile('an entry lies outside of its page')
      const kind = reader.u8(start + at)
      if (kind === ITEM_OFF_PAGE)
        yield overflow(reader, pageBytes, reader.u32(start + at + 4), reader.u32(start + at + 8), used)
      else if (kind === ITEM_KEY_DATA && before - at - 1 >= SMALLEST_HEADER_BYTES)
        yield reader.slice(start + at + 1, before - at - 1)
    }
  }
}

/** The byte order in which the file was written, or `undefined` when it is no such file. */
export function berkeleyByteOrder(bytes: Uint8Array): 'little-endian' | 'big-endian' | undefined {
  if (bytes.length < 512) return undefined
  return (['little-endian', 'big-endian'] as const).find((order) => new ByteReader(bytes, order).u32(12) === HASH_MAGIC)
}

/** Every page belongs to one value: a page that comes twice is a circle. */
function overflow(
  reader: ByteReader,
  pageBytes: number,
  firstPage: number,
  totalBytes: number,
  used: Set<number>,
): Uint8Array {
  if (totalBytes > reader.length) throw new MalformedFile('a value is larger than the file')
  const value = new Uint8Array(totalBytes)
  let filled = 0
  for (let page = firstPage; page !== 0 && filled < totalBytes; ) {
    if (used.has(page)) throw new MalformedFile('its pages go round in a circle')
    used.add(page)
    const start = page * pageBytes
    if (reader.u8(start + 25) !== PAGE_OVERFLOW) throw new MalformedFile('a value continues on a page of another kind')
    const length = Math.min(reader.u16(start + 22), totalBytes - filled)
    if (length > pageBytes - PAGE_HEADER_BYTES) throw new MalformedFile('a page holds more than it can')
    value.set(reader.slice(start + PAGE_HEADER_BYTES, length), filled)
    filled += length
    page = reader.u32(start + 16)
  }
  if (filled < totalBytes) throw new MalformedFile('a value ends too early')
  return value
}
