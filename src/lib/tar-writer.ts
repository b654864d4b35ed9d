import { BLOCK_BYTES } from './tar-header.ts'

/** As much as eleven octal digits hold. */
const OCTAL_MAX = 0o77777777777

/** The header of a plain file, readable by all, of the epoch; with an extension header before where ustar has no room. */
export function tarHeader(path: string, sizeBytes: number): Uint8Array {
  const isPlain = new TextEncoder().encode(path).byteLength <= 100 && sizeBytes <= OCTAL_MAX
  const plain = block(isPlain ? path : path.slice(-100), Math.min(sizeBytes, OCTAL_MAX), '0')
  if (isPlain) return plain
  const records = new TextEncoder().encode(`${record('path', path)}${record('size', String(sizeBytes))}`)
  return Buffer.concat([block('PaxHeader', records.byteLength, 'x'), records, padding(records.byteLength), plain])
}

/** What fills the last block of a file. */
export function padding(sizeBytes: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES)
}

/** What ends an archive. */
export const TAR_END = new Uint8Array(2 * BLOCK_BYTES)

/** A POSIX extension record, which begins with its own length. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const bytes = new TextEncoder().encode(rest).byteLength
  let length = bytes + String(bytes).length
  if (String(length).length > String(bytes).length) length = bytes + String(length).length
  return `${length}${rest}`
}

function block(path: string, sizeBytes: number, flag: string): Uint8Array {
  const header = Buffer.alloc(BLOCK_BYTES)
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  header.write(path, 0, 100)
  header.write(octal(0o644, 7), 100)
  header.write(octal(0, 7), 108)
  header.write(octal(0, 7), 116)
  header.write(octal(sizeBytes, 11), 124)
  header.write(octal(0, 11), 136)
  header.write(' '.repeat(8), 148)
  header.write(flag, 156)
  header.write('ustar\x0000', 257)
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  )
  return header
}
