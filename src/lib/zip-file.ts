import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

export interface ZipEntry {
  readonly name: string
  readonly crc32: number
  readonly method: number
  readonly packedBytes: number
  readonly sizeBytes: number
  readonly headerOffset: number
}

/** A file that is no zip archive, or not one that is read here, with the reason. */
export class BadZip extends Error {
  override readonly name = 'BadZip'
}

export interface ZipLimits {
  readonly entriesMax: number
  readonly entryBytesMax: number
}

const END_BYTES = 22
const END64_BYTES = 56
const COMMENT_BYTES_MAX = 65_535
const DIRECTORY_BYTES_MAX = 1024 ** 3
const READ_AHEAD_BYTES = 1024 * 1024

/**
 * Reads a zip archive of any size from a file, entry by entry: only its directory and one entry are in memory. Stored and
 * deflated entries, ZIP64 included; nothing is believed of what the archive says of sizes beyond the limits.
 */
export class ZipFile {
  readonly entries: readonly ZipEntry[]
  readonly #descriptor: number
  readonly #limits: ZipLimits
  #window: { readonly start: number; readonly bytes: Buffer } = { start: 0, bytes: Buffer.alloc(0) }

  private constructor(descriptor: number, limits: ZipLimits) {
    this.#descriptor = descriptor
    this.#limits = limits
    this.entries = this.#readDirectory()
  }

  /** Throws `BadZip`. */
  static open(path: string, limits: ZipLimits): ZipFile {
    const descriptor = openSync(path, 'r')
    try {
      return new ZipFile(descriptor, limits)
    } catch (thrown) {
      closeSync(descriptor)
      throw thrown
    }
  }

  /** The content of one entry, its checksum compared. Throws `BadZip`. */
  read(entry: ZipEntry): Buffer {
    const { name, sizeBytes, packedBytes } = entry
    if (sizeBytes > this.#limits.entryBytesMax || packedBytes > this.#limits.entryBytesMax)
      throw new BadZip(`The entry ${name} is larger than ${this.#limits.entryBytesMax} bytes.`)
    const header = this.#at(entry.headerOffset, 30)
    if (header.readUInt32LE(0) !== 0x04034b50) throw new BadZip(`The entry ${name} has no header.`)
    const start = entry.headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28)
    const content = this.#unpack(entry, this.#at(start, packedBytes))
    if (content.byteLength !== sizeBytes || Bun.hash.crc32(content) !== entry.crc32)
      throw new BadZip(`The entry ${name} is damaged.`)
    return content
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #unpack({ name, method, sizeBytes }: ZipEntry, packed: Buffer): Buffer {
    if (method === 0) return packed
    if (method !== 8) throw new BadZip(`The entry ${name} is packed by a method (${method}) that is not known.`)
    try {
      return inflateRawSync(packed, { maxOutputLength: Math.max(1, sizeBytes) })
    } catch (cause) {
      throw new BadZip(`The entry ${name} cannot be unpacked.`, { cause })
    }
  }

  #readDirectory(): readonly ZipEntry[] {
    const { count, offset, sizeBytes } = this.#findDirectory()
    if (count > this.#limits.entriesMax)
      throw new BadZip(`The archive has more than ${this.#limits.entriesMax} entries.`)
    if (sizeBytes > DIRECTORY_BYTES_MAX) throw new BadZip('The directory of the archive is too large.')
    const directory = this.#at(offset, sizeBytes)
    const entries: ZipEntry[] = []
    for (let at = 0; entries.length < count; ) {
      if (at + 46 > directory.byteLength || directory.readUInt32LE(at) !== 0x02014b50)
        throw new BadZip('The directory of the archive is damaged.')
      const [nameLength, extraLength, commentLength] = [28, 30, 32].map((field) => directory.readUInt16LE(at + field))
      const nameEnd = at + 46 + (nameLength ?? 0)
      const extraEnd = nameEnd + (extraLength ?? 0)
      if (extraEnd > directory.byteLength) throw new BadZip('The directory of the archive is damaged.')
      if ((directory.readUInt16LE(at + 8) & 1) === 1) throw new BadZip('The archive is encrypted.')
      entries.push(
        widen(
          {
            name: directory.toString('utf8', at + 46, nameEnd),
            method: directory.readUInt16LE(at + 10),
            crc32: directory.readUInt32LE(at + 16),
            packedBytes: directory.readUInt32LE(at + 20),
            sizeBytes: directory.readUInt32LE(at + 24),
            headerOffset: directory.readUInt32LE(at + 42),
          },
          directory.subarray(nameEnd, extraEnd),
        ),
      )
      at = extraEnd + (commentLength ?? 0)
    }
    return entries
  }

  #findDirectory(): { readonly count: number; readonly offset: number; readonly sizeBytes: number } {
    const fileBytes = fstatSync(this.#descriptor).size
    const tailBytes = Math.min(fileBytes, END_BYTES + COMMENT_BYTES_MAX)
    const tailStart = fileBytes - tailBytes
    const tail = this.#at(tailStart, tailBytes)
    let end = tail.byteLength - END_BYTES
    while (end >= 0 && tail.readUInt32LE(end) !== 0x06054b50) end--
    if (end < 0) throw new BadZip('The file is no zip archive, or its end is missing.')
    const locator = end - 20
    if (locator >= 0 && tail.readUInt32LE(locator) === 0x07064b50) {
      const end64 = this.#at(Number(tail.readBigUInt64LE(locator + 8)), END64_BYTES)
      if (end64.readUInt32LE(0) !== 0x06064b50) throw new BadZip('The end of the archive is damaged.')
      return {
        count: Number(end64.readBigUInt64LE(32)),
        sizeBytes: Number(end64.readBigUInt64LE(40)),
        offset: Number(end64.readBigUInt64LE(48)),
      }
    }
    return {
      count: tail.readUInt16LE(end + 10),
      sizeBytes: tail.readUInt32LE(end + 12),
      offset: tail.readUInt32LE(end + 16),
    }
  }

  /** Bytes of the file, read ahead: entries mostly lie in the order of the directory. */
  #at(offset: number, length: number): Buffer {
    const { start, bytes } = this.#window
    if (offset >= start && offset + length <= start + bytes.byteLength)
      return bytes.subarray(offset - start, offset - start + length)
    const wanted = Buffer.alloc(Math.max(length, Math.min(READ_AHEAD_BYTES, length * 64)))
    let filled = 0
    while (filled < wanted.byteLength) {
      const read = readSync(this.#descriptor, wanted, filled, wanted.byteLength - filled, offset + filled)
      if (read === 0) break
      filled += read
    }
    if (filled < length) throw new BadZip('The archive is cut off.')
    if (wanted.byteLength <= 4 * READ_AHEAD_BYTES) this.#window = { start: offset, bytes: wanted.subarray(0, filled) }
    return wanted.subarray(0, length)
  }
}

/** Sizes and offsets of 4 GiB and more stand in the extra field 1, in this order, each only where it is needed. */
function widen(entry: ZipEntry, extra: Buffer): ZipEntry {
  const full = 0xffffffff
  if (entry.sizeBytes !== full && entry.packedBytes !== full && entry.headerOffset !== full) return entry
  for (let at = 0; at + 4 <= extra.byteLength; ) {
    const length = extra.readUInt16LE(at + 2)
    if (extra.readUInt16LE(at) === 1) {
      let next = at + 4
      const take = (value: number) => {
        if (value !== full || next + 8 > extra.byteLength) return value
        next += 8
        return Number(extra.readBigUInt64LE(next - 8))
      }
      const [sizeBytes, packedBytes, headerOffset] = [
        take(entry.sizeBytes),
        take(entry.packedBytes),
        take(entry.headerOffset),
      ]
      return { ...entry, sizeBytes, packedBytes, headerOffset }
    }
    at += 4 + length
  }
  throw new BadZip(`The entry ${entry.name} does not say how large it is.`)
}
