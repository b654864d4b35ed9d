import { ByteReader } from './byte-reader.ts'
import type { Executable } from './executable.ts'
import { MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { MalformedFile, textOf } from './malformed-file.ts'

/** How the build information of a Go program begins; what follows lies at a multiple of 16 bytes. */
export const GO_BUILD_INFO_MAGIC = Uint8Array.of(0xff, ...new TextEncoder().encode(' Go buildinf:'))

const HEADER_BYTES = 32
const IS_BIG_ENDIAN = 1
const IS_INLINE = 2
/** Frames the list of modules: 16 bytes before, 16 bytes behind. */
const FRAME_BYTES = 16
/** More than the build information of any real program. */
export const MAX_GO_BUILD_INFO_BYTES = 8 * 1024 * 1024

/**
 * The modules that a Go program was built from, and the standard library as `stdlib`; `undefined` when it is no Go
 * program. After Go's debug/buildinfo: since Go 1.18 the texts follow the header, before that it points to them.
 */
export function goModulesOf(executable: Executable): readonly PackageFacts[] | undefined {
  const at = buildInfoAt(executable)
  if (at === undefined) return undefined
  const { reader } = executable
  const flags = reader.u8(at + 15)
  if ((flags & IS_INLINE) !== 0)
    return inlineGoModules(reader.slice(at, Math.min(reader.length - at, MAX_GO_BUILD_INFO_BYTES)))
  const pointerBytes = reader.u8(at + 14)
  if (pointerBytes !== 4 && pointerBytes !== 8) throw new MalformedFile('its build information is broken')
  const memory = new Memory(executable, pointerBytes, (flags & IS_BIG_ENDIAN) !== 0)
  return modulesOf(memory.text(memory.pointer(at + 16)), memory.text(memory.pointer(at + 16 + pointerBytes)))
}

/** The same from the build information alone, where its texts follow. */
export function inlineGoModules(buildInfo: Uint8Array): readonly PackageFacts[] {
  const reader = new ByteReader(buildInfo, 'little-endian')
  const [version, next] = inlineText(reader, HEADER_BYTES)
  const [modules] = inlineText(reader, next)
  return modulesOf(version, modules)
}

function buildInfoAt({ reader, sections }: Executable): number | undefined {
  const named = sections.filter(({ name }) => name === '.go.buildinfo' || name === '__go_buildinfo')
  // Programs of Windows have no section of that name: it begins their data.
  const places = named.length > 0 ? named : sections.filter(({ name }) => name === '.data')
  for (const { offset, sizeBytes } of places) {
    const bytes = reader.slice(offset, Math.min(sizeBytes, Math.max(0, reader.length - offset)))
    const area = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = area.indexOf(GO_BUILD_INFO_MAGIC); at >= 0; at = area.indexOf(GO_BUILD_INFO_MAGIC, at + 1))
      if (at % 16 === 0 && at + HEADER_BYTES <= area.length) return offset + at
  }
  return undefined
}

function inlineText(reader: ByteReader, at: number): readonly [text: Uint8Array, next: number] {
  let length = 0
  for (let index = 0; index < 5; index++) {
    const byte = reader.u8(at + index)
    length += (byte & 0x7f) * 2 ** (7 * index)
    if (byte < 0x80) return [reader.slice(at + index + 1, length), at + index + 1 + length]
  }
  throw new MalformedFile('its build information is broken')
}

/** What the program would see at its own addresses. */
class Memory {
  readonly #executable: Executable
  readonly #reader: ByteReader
  readonly #pointerBytes: 4 | 8

  constructor(executable: Executable, pointerBytes: 4 | 8, isBigEndian: boolean) {
    this.#executable = executable
    this.#pointerBytes = pointerBytes
    this.#reader = new ByteReader(executable.reader.bytes, isBigEndian ? 'big-endian' : 'little-endian')
  }

  pointer(offset: number): number {
    return this.#pointerBytes === 8 ? this.#reader.u64(offset) : this.#reader.u32(offset)
  }

  /** A Go string: an address and a length lie at `address`. */
  text(address: number): Uint8Array {
    if (address === 0) return new Uint8Array()
    const header = this.#offsetOf(address)
    const length = this.pointer(header + this.#pointerBytes)
    if (length === 0) return new Uint8Array()
    if (length > MAX_GO_BUILD_INFO_BYTES) throw new MalformedFile('its build information is too long')
    return this.#reader.slice(this.#offsetOf(this.pointer(header)), length)
  }

  #offsetOf(address: number): number {
    const section = this.#executable.sections.find(
      (one) => one.address !== 0 && address >= one.address && address < one.address + one.sizeBytes,
    )
    if (section === undefined) throw new MalformedFile('its build information points out of the file')
    return section.offset + (address - section.address)
  }
}

function modulesOf(goVersion: Uint8Array, framed: Uint8Array): readonly PackageFacts[] {
  const packages: PackageFacts[] = []
  const add = (name: string | undefined, version: string | undefined) => {
    if (packages.length >= MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
    // Built from a work tree, the main module has no version that could be compared.
    if (name) packages.push({ type: 'golang', name, version: version === '(devel)' ? '' : (version ?? '') })
  }
  if (framed.length >= 2 * FRAME_BYTES + 1) {
    let last: readonly string[] | undefined
    const lines = textOf(framed.subarray(FRAME_BYTES, framed.length - FRAME_BYTES)).split('\n')
    for (const line of lines) {
      const fields = line.split('\t')
      // The module that takes the place of the one before it.
      if (fields[0] === '=>') last = fields
      else {
        if (last !== undefined) add(last[1], last[2])
        last = fields[0] === 'mod' || fields[0] === 'dep' ? fields : undefined
      }
    }
    if (last !== undefined) add(last[1], last[2])
  }
  const [, release] = /^go(\d[^\s]*)/.exec(textOf(goVersion)) ?? []
  if (release !== undefined) add('stdlib', release)
  return packages
}
