import { deflateRawSync } from 'node:zlib'
import { joined } from './tar-builder.ts'

/** A zip archive of these files, deflated or stored. */
export function zipOf(
  files: readonly (readonly [name: string, content: string | Uint8Array])[],
  method: 0 | 8 = 8,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = []
  const directory: Uint8Array[] = []
  let at = 0
  for (const [name, content] of files) {
    const raw = typeof content === 'string' ? new TextEncoder().encode(content) : content
    const packed = method === 8 ? new Uint8Array(deflateRawSync(raw)) : raw
    const title = new TextEncoder().encode(name)
    const local = new DataView(new ArrayBuffer(30))
    local.setUint32(0, 0x04034b50, true)
    local.setUint16(26, title.length, true)
    const entry = new DataView(new ArrayBuffer(46))
    entry.setUint32(0, 0x02014b50, true)
    entry.setUint16(10, method, true)
    entry.setUint32(20, packed.length, true)
    entry.setUint32(24, raw.length, true)
    entry.setUint16(28, title.length, true)
    entry.setUint32(42, at, true)
    parts.push(new Uint8Array(local.buffer), title, packed)
    directory.push(new Uint8Array(entry.buffer), title)
    at += 30 + title.length + packed.length
  }
  const central = joined(directory)
  const end = new DataView(new ArrayBuffer(22))
  end.setUint32(0, 0x06054b50, true)
  end.setUint16(10, files.length, true)
  end.setUint32(12, central.length, true)
  end.setUint32(16, at, true)
  return joined([...parts, central, new Uint8Array(end.buffer)])
}
