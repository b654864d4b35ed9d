import { ByteReader } from './byte-reader.ts'
import { MalformedFile } from './malformed-file.ts'

/** One file in a zip archive. */
export interface ZipEntry {
  readonly name: string
  /** 0 stored, 8 deflated. */
  readonly method: number
  readonly compressedBytes: number
  readonly sizeBytes: number
  readonly headerAt: number
  readonly isEncrypted: boolean
}

const END = 0x06_05_4b_50
const END_64 = 0x06_06_4b_50
const END_64_LOCATOR = 0x07_06_4b_50
const ENTRY = 0x02_01_4b_50
const LOCAL = 0x04_03_4b_50
const END_BYTES = 22
const MAX_COMMENT_BYTES = 0xff_ff
const IN_EXTRA = 0xff_ff_ff_ff
const MAX_ENTRIES = 1_000_000

/** The files that the directory at the end of a zip archive lists; what lies before the archive is allowed for. */
export function* zipEntries(bytes: Uint8Array): Generator<ZipEntry> {
  const reader = new ByteReader(bytes, 'little-endian')
  const { count, directoryAt, shift } = directoryOf(reader)
  if (count > MAX_ENTRIES) throw new MalformedFile('it holds too many files')
  let at = directoryAt
  for (let index = 0; index < count; index++) {
    if (reader.u32(at) !== ENTRY) throw new MalformedFile('its directory is broken')
    const nameBytes = reader.u16(at + 28)
    const extraBytes = reader.u16(at + 30)
    const compressed = reader.u32(at + 20)
    const size = reader.u32(at + 24)
    const header = reader.u32(at + 42)
    const wide = wideNumbers(reader.slice(at + 46 + nameBytes, extraBytes))
    yield {
      name: reader.text(at + 46, nameBytes),
      method: reader.u16(at + 10),
      isEncrypted: (reader.u16(at + 8) & 1) !== 0,
      // The extra field has, in this order, only those that had no room.
      sizeBytes: size === IN_EXTRA ? wide() : size,
      compressedBytes: compressed === IN_EXTRA ? wide() : compressed,
      headerAt: (header === IN_EXTRA ? wide() : header) + shift,
    }
    at += 46 + nameBytes + extraBytes + reader.u16(at + 32)
  }
}

/** The bytes of an entry as the archive keeps them. */
export function zipContent(bytes: Uint8Array, { headerAt, compressedBytes }: ZipEntry): Uint8Array {
  const reader = new ByteReader(bytes, 'little-endian')
  if (reader.u32(headerAt) !== LOCAL) throw new MalformedFile('a file is not where its directory says')
  return reader.slice(headerAt + 30 + reader.u16(headerAt + 26) + reader.u16(headerAt + 28), compressedBytes)
}

interface Directory {
  readonly count: number
  readonly directoryAt: number
  /** How many bytes lie before the archive, such as a script that starts it. */
  readonly shift: number
}

function directoryOf(reader: ByteReader): Directory {
  const lowest = Math.max(0, reader.length - END_BYTES - MAX_COMMENT_BYTES)
  let end = reader.length - END_BYTES
  while (end >= lowest && reader.u32(end) !== END) end--
  if (end < lowest) throw new MalformedFile('it is no zip archive, or cut off')
  const locator = end - 20
  if (locator >= 0 && reader.u32(locator) === END_64_LOCATOR) {
    const end64 = reader.u64(locator + 8)
    if (reader.u32(end64) !== END_64) throw new MalformedFile('its directory is broken')
    return { count: reader.u64(end64 + 32), directoryAt: reader.u64(end64 + 48), shift: 0 }
  }
  const directoryBytes = reader.u32(end + 12)
  const stated = reader.u32(end + 16)
  const directoryAt = end - directoryBytes
  if (directoryAt < stated) throw new MalformedFile('its directory is broken')
  return { count: reader.u16(end + 10), directoryAt, shift: directoryAt - stated }
}

function wideNumbers(extra: Uint8Array): () => number {
  const reader = new ByteReader(extra, 'little-endian')
  let next = -1
  for (let at = 0; at + 4 <= reader.length; at += 4 + reader.u16(at + 2)) if (reader.u16(at) === 1) next = at + 4
  return () => {
    if (next < 0) throw new MalformedFile('its directory is broken')
    next += 8
    return reader.u64(next - 8)
  }
}
