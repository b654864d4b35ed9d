/** An entry of an archive to be built. */
export interface TarFile {
  readonly path: string
  readonly content?: string | Uint8Array
  /** The type flag: a file when absent. */
  readonly flag?: string
  readonly link?: string
  readonly mode?: number
  /** What the header says of the size, when that is not the truth. */
  readonly statedBytes?: number
}

const BLOCK = 512

/** A plain ustar archive of these entries, with the mark at its end. */
export function tarOf(files: readonly TarFile[]): Uint8Array<ArrayBuffer> {
  return joined([...files.flatMap(entryOf), new Uint8Array(2 * BLOCK)])
}

/** One entry: header, content, padding. */
export function entryOf({ path, content = '', flag = '0', link = '', mode = 0o644, statedBytes }: TarFile) {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  const header = new Uint8Array(BLOCK)
  const put = (at: number, text: string) => header.set(new TextEncoder().encode(text), at)
  put(0, path)
  put(100, `${mode.toString(8).padStart(7, '0')}\0`)
  put(108, '0000000\0')
  put(116, '0000000\0')
  put(124, `${(statedBytes ?? bytes.length).toString(8).padStart(11, '0')}\0`)
  put(136, '00000000000\0')
  put(148, ' '.repeat(8))
  put(156, flag)
  put(157, link)
  put(257, 'ustar\x0000')
  const sum = header.reduce((total, byte) => total + byte, 0)
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `)
  return [header, bytes, new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK)]
}

/** A pax extension header for the entry that follows. */
export function paxOf(records: Readonly<Record<string, string>>): TarFile {
  const content = Object.entries(records)
    .map(([key, value]) => {
      const rest = new TextEncoder().encode(` ${key}=${value}\n`).length
      let length = rest + 1
      while (String(length).length + rest !== length) length = String(length).length + rest
      return `${length} ${key}=${value}\n`
    })
    .join('')
  return { path: 'PaxHeaders/x', flag: 'x', content }
}

export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((total, part) => total + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
