import { joined } from './tar-builder.ts'

/** Where the sections of such a program lie once loaded: at this address and their place in the file. */
export const ELF_BASE = 0x400000
const HEADER_BYTES = 64
const SECTION_BYTES = 64

/** A 64-bit little-endian ELF file with these sections, each at a multiple of 16 bytes; says where they begin in the file. */
export function elfOf(sections: readonly (readonly [name: string, content: Uint8Array])[]): Uint8Array<ArrayBuffer> {
  const names = `\0${[...sections.map(([name]) => name), '.shstrtab'].join('\0')}\0`
  const all = [...sections, ['.shstrtab', new TextEncoder().encode(names)] as const]
  const parts: Uint8Array[] = [new Uint8Array(HEADER_BYTES)]
  let at = HEADER_BYTES
  const offsets = all.map(([, content]) => {
    const offset = at
    const padding = (16 - (content.length % 16)) % 16
    parts.push(content, new Uint8Array(padding))
    at += content.length + padding
    return offset
  })
  const table = new DataView(new ArrayBuffer((all.length + 1) * SECTION_BYTES))
  for (const [index, [name, content]] of all.entries()) {
    const entry = (index + 1) * SECTION_BYTES
    const offset = offsets[index] ?? 0
    table.setUint32(entry, names.indexOf(`\0${name}\0`) + 1, true)
    table.setUint32(entry + 4, 1, true)
    table.setBigUint64(entry + 16, BigInt(ELF_BASE + offset), true)
    table.setBigUint64(entry + 24, BigInt(offset), true)
    table.setBigUint64(entry + 32, BigInt(content.length), true)
  }
  const header = new DataView(new ArrayBuffer(HEADER_BYTES))
  for (const [index, byte] of [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].entries()) header.setUint8(index, byte)
  header.setBigUint64(0x28, BigInt(at), true)
  header.setUint16(0x3a, SECTION_BYTES, true)
  header.setUint16(0x3c, all.length + 1, true)
  header.setUint16(0x3e, all.length, true)
  parts[0] = new Uint8Array(header.buffer)
  return joined([...parts, new Uint8Array(table.buffer)])
}

const FRAME = new Uint8Array(16).fill(0x33)
const text = (value: string) => new TextEncoder().encode(value)

function lengthPrefixed(bytes: Uint8Array): Uint8Array {
  const prefix: number[] = []
  for (let left = bytes.length; ; left >>>= 7) {
    prefix.push(left < 0x80 ? left : (left & 0x7f) | 0x80)
    if (left < 0x80) break
  }
  return joined([Uint8Array.from(prefix), bytes])
}

function buildInfoHeader(flags: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(32)
  header.set([0xff, ...text(' Go buildinf:'), 8, flags])
  return header
}

/** The build information of a Go program as Go 1.18 and later write it. */
export function goBuildInfo(version: string, modules: string): Uint8Array<ArrayBuffer> {
  return joined([
    buildInfoHeader(2),
    lengthPrefixed(text(version)),
    lengthPrefixed(joined([FRAME, text(modules), FRAME])),
  ])
}

/** A Go program as it was before Go 1.18: its build information points to strings, which point to their bytes. */
export function oldGoProgram(version: string, modules: string): Uint8Array<ArrayBuffer> {
  const texts = [text(version), joined([FRAME, text(modules), FRAME])] as const
  const [first, second] = texts
  // Bytes first, then the two strings, then what points to them: each section begins where the one before has ended.
  const bytesAt = ELF_BASE + HEADER_BYTES
  const bytes = joined(texts)
  const stringsAt = bytesAt + Math.ceil(bytes.length / 16) * 16
  const strings = new DataView(new ArrayBuffer(32))
  for (const [at, value] of [bytesAt, first.length, bytesAt + first.length, second.length].entries())
    strings.setBigUint64(at * 8, BigInt(value), true)
  const info = new DataView(buildInfoHeader(0).buffer)
  info.setBigUint64(16, BigInt(stringsAt), true)
  info.setBigUint64(24, BigInt(stringsAt + 16), true)
  return elfOf([
    ['.rodata', bytes],
    ['.data', new Uint8Array(strings.buffer)],
    ['.go.buildinfo', new Uint8Array(info.buffer)],
  ])
}
