import { ByteReader } from './byte-reader.ts'
import { MalformedFile } from './malformed-file.ts'

/** A named part of a program file. `address`: where it lies once loaded. */
export interface Section {
  readonly name: string
  readonly address: number
  readonly offset: number
  readonly sizeBytes: number
}

/** A program file taken apart. */
export interface Executable {
  readonly reader: ByteReader
  readonly sections: readonly Section[]
}

const MAX_SECTIONS = 4096

/** Whether a file that begins so is an ELF, PE or Mach-O program. */
export function isExecutable(start: Uint8Array): boolean {
  const [a, b, c, d] = start
  if (a === 0x7f && b === 0x45 && c === 0x4c && d === 0x46) return true
  if (a === 0x4d && b === 0x5a) return true
  return (a === 0xcf || a === 0xce) && b === 0xfa && c === 0xed && d === 0xfe
}

/** The sections of a program. Throws {@link MalformedFile}. */
export function parseExecutable(bytes: Uint8Array): Executable {
  if (bytes[0] === 0x7f) return elf(bytes)
  if (bytes[0] === 0x4d) return portableExecutable(bytes)
  return machO(bytes)
}

/** The content of a section; absent when the file has none of these names. */
export function sectionOf({ reader, sections }: Executable, ...names: readonly string[]): Uint8Array | undefined {
  const section = sections.find(({ name }) => names.includes(name))
  return section && reader.slice(section.offset, section.sizeBytes)
}

const ELF_NO_BITS = 8

function elf(bytes: Uint8Array): Executable {
  const reader = new ByteReader(bytes, bytes[5] === 2 ? 'big-endian' : 'little-endian')
  const is64 = reader.u8(4) === 2
  const word = (at: number) => (is64 ? reader.u64(at) : reader.u32(at))
  const table = is64 ? word(0x28) : word(0x20)
  const entryBytes = reader.u16(is64 ? 0x3a : 0x2e)
  const count = reader.u16(is64 ? 0x3c : 0x30)
  const namesIndex = reader.u16(is64 ? 0x3e : 0x32)
  if (table === 0 || count === 0) return { reader, sections: [] }
  if (count > MAX_SECTIONS || entryBytes < (is64 ? 64 : 40)) throw new MalformedFile('its table of sections is broken')
  const place = (index: number) => {
    const at = table + index * entryBytes
    return is64
      ? {
          name: reader.u32(at),
          type: reader.u32(at + 4),
          address: word(at + 16),
          offset: word(at + 24),
          sizeBytes: word(at + 32),
        }
      : {
          name: reader.u32(at),
          type: reader.u32(at + 4),
          address: word(at + 12),
          offset: word(at + 16),
          sizeBytes: word(at + 20),
        }
  }
  const names = place(namesIndex)
  const sections: Section[] = []
  for (let index = 0; index < count; index++) {
    const { name, type, address, offset, sizeBytes } = place(index)
    if (type !== ELF_NO_BITS && type !== 0)
      sections.push({ name: reader.zeroEnded(names.offset + name, 64), address, offset, sizeBytes })
  }
  return { reader, sections }
}

function portableExecutable(bytes: Uint8Array): Executable {
  const reader = new ByteReader(bytes, 'little-endian')
  const header = reader.length < 0x40 ? reader.length : reader.u32(0x3c)
  // Other files begin with the same two letters: programs of DOS, for one.
  if (header + 24 > reader.length || reader.u32(header) !== 0x00_00_45_50) return { reader, sections: [] }
  const count = reader.u16(header + 6)
  const optionalAt = header + 24
  const is64 = reader.u16(optionalAt) === 0x20b
  const imageBase = is64 ? reader.u64(optionalAt + 24) : reader.u32(optionalAt + 28)
  const table = optionalAt + reader.u16(header + 20)
  if (count > MAX_SECTIONS) throw new MalformedFile('its table of sections is broken')
  const sections = Array.from({ length: count }, (_, index): Section => {
    const at = table + index * 40
    return {
      name: reader.zeroEnded(at, 8),
      address: imageBase + reader.u32(at + 12),
      offset: reader.u32(at + 20),
      sizeBytes: reader.u32(at + 16),
    }
  })
  return { reader, sections }
}

const MACH_SEGMENT = 0x01
const MACH_SEGMENT_64 = 0x19

function machO(bytes: Uint8Array): Executable {
  const reader = new ByteReader(bytes, 'little-endian')
  const is64 = bytes[0] === 0xcf
  const commandCount = reader.u32(16)
  const sections: Section[] = []
  let at = is64 ? 32 : 28
  for (let command = 0; command < commandCount && sections.length < MAX_SECTIONS; command++) {
    const kind = reader.u32(at)
    const commandBytes = reader.u32(at + 4)
    if (commandBytes < 8) throw new MalformedFile('its load commands are broken')
    if (kind === MACH_SEGMENT_64 || kind === MACH_SEGMENT) {
      const wide = kind === MACH_SEGMENT_64
      const count = reader.u32(at + (wide ? 64 : 48))
      if (count > MAX_SECTIONS) throw new MalformedFile('its table of sections is broken')
      for (let index = 0; index < count; index++) {
        const section = at + (wide ? 72 + index * 80 : 56 + index * 68)
        sections.push({
          name: reader.zeroEnded(section, 16),
          address: wide ? reader.u64(section + 32) : reader.u32(section + 32),
          sizeBytes: wide ? reader.u64(section + 40) : reader.u32(section + 36),
          offset: reader.u32(section + (wide ? 48 : 40)),
        })
      }
    }
    at += commandBytes
  }
  return { reader, sections }
}
