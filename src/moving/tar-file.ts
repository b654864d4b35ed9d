import { createReadStream } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { isRegistryError } from '../domain/errors.ts'
import { BLOCK_BYTES, hasContent, parsePaxRecords, parseTarHeader, typeOfFlag } from '../lib/tar-header.ts'
import { MovingFailure } from './places.ts'

export interface TarEntry {
  readonly offset: number
  readonly sizeBytes: number
}

const EXTENSION_BYTES_MAX = 1024 * 1024
const LINK_STEPS_MAX = 4
/** Headers that say something of the next entry, or (`g`) of all that follow. */
const EXTENSIONS = 'xgLK'
const ENTRIES_MAX = 1_000_000

/** A tar archive as files by name. Only its headers are read when it is opened; of two files of one name the later counts. */
export class TarFile {
  readonly path: string
  readonly entries: ReadonlyMap<string, TarEntry>
  /** Where the last whole entry ends. */
  readonly endOffset: number
  readonly #file: FileHandle

  private constructor(path: string, file: FileHandle, entries: ReadonlyMap<string, TarEntry>, endOffset: number) {
    this.path = path
    this.#file = file
    this.entries = entries
    this.endOffset = endOffset
  }

  /** Throws `MovingFailure` when it is no archive, which then is called `name`. `isTorn`: what comes behind the last whole entry is let be. */
  static async open(path: string, isTorn = false, name = path): Promise<TarFile> {
    const file = await open(path, 'r')
    try {
      const { entries, endOffset } = await scan(file, name, isTorn)
      return new TarFile(path, file, entries, endOffset)
    } catch (error) {
      await file.close()
      if (isRegistryError(error, 'layer-unreadable'))
        throw new MovingFailure(`${name} is no tar archive, or a damaged one.`, { cause: error })
      throw error
    }
  }

  sizeOf(name: string): number | undefined {
    return this.entries.get(name)?.sizeBytes
  }

  async *read(name: string, from = 0): AsyncGenerator<Uint8Array, void, void> {
    const entry = this.entries.get(name)
    if (entry === undefined || from >= entry.sizeBytes) return
    const { offset, sizeBytes } = entry
    const range = { start: offset + from, end: offset + sizeBytes - 1, highWaterMark: 256 * 1024 }
    yield* createReadStream(this.path, range) as AsyncIterable<Uint8Array>
  }

  async close(): Promise<void> {
    await this.#file.close()
  }
}

async function scan(file: FileHandle, path: string, isTorn: boolean) {
  const { size } = await file.stat()
  const entries = new Map<string, TarEntry>()
  const links: [string, string][] = []
  let long: LongNames = {}
  let at = 0
  let endOffset = 0
  while (at + BLOCK_BYTES <= size) {
    const header = parseTarHeader(await bytesAt(file, at, BLOCK_BYTES))
    if (header === undefined) break
    const { flag } = header
    const isExtension = EXTENSIONS.includes(flag)
    const sizeBytes = isExtension ? header.sizeBytes : hasContent(flag) ? (long.sizeBytes ?? header.sizeBytes) : 0
    const offset = at + BLOCK_BYTES
    const next = offset + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
    if (next > size) {
      if (isTorn) break
      throw new MovingFailure(`${path} is cut off.`)
    }
    at = next
    if (isExtension) {
      if (sizeBytes > EXTENSION_BYTES_MAX) throw new MovingFailure(`${path} has an extension header that is too long.`)
      long = { ...long, ...extension(flag, await bytesAt(file, offset, sizeBytes), path) }
      continue
    }
    const name = plain(long.path ?? header.path)
    const linkPath = long.linkPath ?? header.linkPath
    const type = typeOfFlag(flag, header.path)
    if (type === 'file') entries.set(name, { offset, sizeBytes })
    else if (type === 'symbolic-link') links.push([name, beside(name, linkPath)])
    else if (type === 'hard-link') links.push([name, plain(linkPath)])
    if (entries.size + links.length > ENTRIES_MAX)
      throw new MovingFailure(`${path} has more than ${ENTRIES_MAX} entries, as no archive of images does.`)
    long = {}
    endOffset = at
  }
  if (!isTorn && at < size && at + BLOCK_BYTES > size) throw new MovingFailure(`${path} is cut off.`)
  // Older docker archives link layers that several images share.
  for (let step = 0; step < LINK_STEPS_MAX; step++)
    for (const [name, to] of links) {
      const entry = entries.get(to)
      if (entry !== undefined) entries.set(name, entry)
    }
  return { entries, endOffset }
}

/** What extension headers say of the entry behind them. */
interface LongNames {
  readonly path?: string
  readonly linkPath?: string
  readonly sizeBytes?: number
}

function extension(flag: string, bytes: Uint8Array, archive: string): LongNames {
  const text = () => new TextDecoder().decode(bytes).replace(/\0.*$/s, '')
  if (flag === 'L') return { path: text() }
  if (flag === 'K') return { linkPath: text() }
  if (flag !== 'x') return {}
  const records = parsePaxRecords(bytes)
  const [path, linkPath, size] = ['path', 'linkpath', 'size'].map((key) => records.get(key))
  if (size !== undefined && !/^\d{1,15}$/.test(size))
    throw new MovingFailure(`${archive} has an entry of an impossible size.`)
  return {
    ...(path === undefined ? {} : { path }),
    ...(linkPath === undefined ? {} : { linkPath }),
    ...(size === undefined ? {} : { sizeBytes: Number(size) }),
  }
}

const plain = (path: string) => path.replace(/^(?:\.?\/)+/, '')

function beside(name: string, link: string): string {
  const parts = name.split('/').slice(0, -1)
  for (const part of link.split('/'))
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  return parts.join('/')
}

async function bytesAt(file: FileHandle, at: number, length: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(length)
  for (let filled = 0; filled < length; ) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, at + filled)
    if (bytesRead === 0) throw new MovingFailure('The archive is cut off.')
    filled += bytesRead
  }
  return buffer
}
