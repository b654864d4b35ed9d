import { layerUnreadable } from '../domain/inventory/errors.ts'

export const BLOCK_BYTES = 512

/** What an entry of an archive is; `other`: devices, pipes and the like. */
export type TarEntryType = 'file' | 'directory' | 'symbolic-link' | 'hard-link' | 'other'

/** One header block, before what extension headers say is put in. */
export interface TarHeader {
  readonly path: string
  readonly linkPath: string
  readonly mode: number
  readonly sizeBytes: number
  /** The type as the block has it. */
  readonly flag: string
}

const utf8 = new TextDecoder()

/** Reads a header block: POSIX ustar, GNU, or the oldest form. `undefined` for a block of zeros. Throws `layer-unreadable`. */
export function parseTarHeader(block: Uint8Array): TarHeader | undefined {
  const stated = octal(block, 148, 8)
  let unsigned = 8 * 0x20
  let signed = 8 * 0x20
  let sum = 0
  for (let at = 0; at < BLOCK_BYTES; at++) {
    const byte = block[at] ?? 0
    sum |= byte
    if (at >= 148 && at < 156) continue
    unsigned += byte
    signed += byte < 128 ? byte : byte - 256
  }
  if (sum === 0) return undefined
  if (stated !== unsigned && stated !== signed)
    throw layerUnreadable('an entry of its archive is damaged, or it is no tar archive')
  const magic = text(block, 257, 6)
  // GNU's own form ("ustar  ") keeps times where POSIX keeps the beginning of long paths.
  const prefix = magic === 'ustar' && block[262] === 0 ? text(block, 345, 155) : ''
  const name = text(block, 0, 100)
  return {
    path: prefix === '' ? name : `${prefix}/${name}`,
    linkPath: text(block, 157, 100),
    mode: octal(block, 100, 8),
    sizeBytes: number(block, 124, 12),
    flag: String.fromCharCode(block[156] ?? 0),
  }
}

/** What the flag of a header says; `undefined` for extension headers. */
export function typeOfFlag(flag: string, path: string): TarEntryType {
  switch (flag) {
    case '0':
    case '\0':
      return path.endsWith('/') ? 'directory' : 'file'
    case '7':
    case 'S':
      return 'file'
    case '1':
      return 'hard-link'
    case '2':
      return 'symbolic-link'
    case '5':
    case 'D':
      return 'directory'
    default:
      return 'other'
  }
}

/** Types whose entry has no content, whatever the header says of its size. */
export function hasContent(flag: string): boolean {
  return !'123456'.includes(flag)
}

/** The records of a POSIX extension header, `length key=value\n` each. Throws `layer-unreadable`. */
export function parsePaxRecords(bytes: Uint8Array): ReadonlyMap<string, string> {
  const records = new Map<string, string>()
  for (let at = 0; at < bytes.length && bytes[at] !== 0; ) {
    const space = bytes.indexOf(0x20, at)
    const digits = space < 0 || space - at > 10 ? '' : utf8.decode(bytes.subarray(at, space))
    const length = /^\d+$/.test(digits) ? Number(digits) : 0
    if (length <= digits.length + 2 || at + length > bytes.length)
      throw layerUnreadable('an extension header of its archive is damaged')
    const record = utf8.decode(bytes.subarray(space + 1, at + length - 1))
    const equals = record.indexOf('=')
    if (equals > 0) records.set(record.slice(0, equals), record.slice(equals + 1))
    at += length
  }
  return records
}

function text(block: Uint8Array, at: number, length: number): string {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  return utf8.decode(end < 0 ? field : field.subarray(0, end))
}

function octal(block: Uint8Array, at: number, length: number): number {
  let value = 0
  for (let index = at; index < at + length; index++) {
    const byte = block[index] ?? 0
    if (byte >= 0x30 && byte <= 0x37) value = value * 8 + byte - 0x30
    else if (byte !== 0x20 || value !== 0) break
  }
  return value
}

/** Octal digits, or (first bit set) the bytes of a number, as GNU writes what has no room. */
function number(block: Uint8Array, at: number, length: number): number {
  const first = block[at] ?? 0
  if ((first & 0x80) === 0) return octal(block, at, length)
  let value = first & 0x7f
  for (let index = at + 1; index < at + length; index++) value = value * 256 + (block[index] ?? 0)
  if (!Number.isSafeInteger(value)) throw layerUnreadable('an entry of its archive has an impossible size')
  return value
}
