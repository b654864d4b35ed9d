import { gzipSync } from 'node:zlib'
import { entryOf, joined, type TarFile } from './tar-builder.ts'
import { zipOf } from './zip-builder.ts'

const BLOCK_BYTES = 128 * 1024
const RAW = 0
const REPEATED = 1

/**
 * A zstd frame of a few bytes and then `zeros` zero bytes, each 128 KiB of which take four: made by hand, since a
 * compressor would have to be fed with them. After RFC 8878.
 */
export function zstdOfZeros(start: Uint8Array, zeros: number): Uint8Array<ArrayBuffer> {
  const block = (type: number, size: number, isLast: boolean) => {
    const header = (size << 3) | (type << 1) | Number(isLast)
    return Uint8Array.of(header & 0xff, (header >> 8) & 0xff, (header >> 16) & 0xff)
  }
  const full = joined([block(REPEATED, BLOCK_BYTES, false), Uint8Array.of(0)])
  const count = Math.floor(zeros / BLOCK_BYTES)
  const many = new Uint8Array(full.length * count)
  for (let at = 0; at < many.length; at += full.length) many.set(full, at)
  return joined([
    // No content size, no checksum; a window of 128 KiB.
    Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3),
    ...[block(RAW, start.length, false), start, many],
    ...[block(REPEATED, zeros % BLOCK_BYTES, true), Uint8Array.of(0)],
  ])
}

/** The header of an entry with a size that only its binary form has room for. */
export function hugeEntry(file: TarFile, sizeBytes: number): Uint8Array {
  const [header] = entryOf(file)
  if (header === undefined) throw new Error('An entry has a header')
  new DataView(header.buffer).setBigUint64(128, BigInt(sizeBytes))
  header[124] = 0x80
  for (let at = 125; at < 128; at++) header[at] = 0
  header.fill(0x20, 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.set(new TextEncoder().encode(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
  return header
}

/** A gzip stream of many entries, each with a path of its own, packed a stretch at a time. */
export function gzipOfEntries(count: number, fileAt: (index: number) => TarFile): Uint8Array<ArrayBuffer> {
  const STRETCH = 20_000
  const members: Uint8Array[] = []
  for (let from = 0; from < count; from += STRETCH) {
    const length = Math.min(STRETCH, count - from)
    const files = Array.from({ length }, (_, index) => fileAt(from + index))
    members.push(gzipSync(joined(files.flatMap(entryOf)), { level: 1 }))
  }
  return joined([...members, gzipSync(new Uint8Array(1024))])
}

/** A gzip stream of the same entry over and over. */
export function gzipOfRepeated(count: number, file: TarFile): Uint8Array<ArrayBuffer> {
  const STRETCH = 10_000
  const entry = joined(entryOf(file))
  const stretch = gzipSync(joined(Array.from({ length: STRETCH }, () => entry)))
  return joined([...Array.from({ length: Math.ceil(count / STRETCH) }, () => stretch), gzipSync(new Uint8Array(1024))])
}

/** A Java archive in which another lies, and so on. */
export function nestedJar(depth: number): Uint8Array {
  let jar: Uint8Array = zipOf([['A.class', 'x']])
  for (let level = 0; level < depth; level++) jar = zipOf([[`lib/${level}.jar`, jar]])
  return jar
}
