import { createReadStream, existsSync, realpathSync, statSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join, relative } from 'node:path'
import { type Compression, compressionOf } from '../lib/decompressed.ts'
import { withStart } from '../lib/stream-start.ts'
import { MovingFailure } from './places.ts'
import { TarFile } from './tar-file.ts'
import { unpackTo } from './unpacking.ts'

/** Files by name, in a directory or in an archive. */
export interface LayoutFiles {
  /** `undefined`: there is none of that name. */
  sizeOf(name: string): number | undefined
  read(name: string, from?: number): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** A directory, or a tar archive. Throws `MovingFailure`. */
export async function openFiles(path: string): Promise<LayoutFiles> {
  if (statSync(path).isDirectory()) return new FolderFiles(path)
  const compression = compressionOf(await startOf(path))
  if (compression === 'none') return await TarFile.open(path)
  return await UnpackedArchive.open(Bun.file(path).stream(), compression, path)
}

/** An archive, packed or not, that comes through a pipe. */
export async function openStream(source: AsyncIterable<Uint8Array>): Promise<LayoutFiles> {
  const { start, all } = await withStart(source, 4)
  return await UnpackedArchive.open(all, compressionOf(start), 'What comes in')
}

async function startOf(path: string): Promise<Uint8Array> {
  return new Uint8Array(await Bun.file(path).slice(0, 4).arrayBuffer())
}

/** What cannot be looked up where it lies, in a file of its own while it is used. */
class UnpackedArchive implements LayoutFiles {
  readonly #tar: TarFile
  readonly #directory: string

  private constructor(tar: TarFile, directory: string) {
    this.#tar = tar
    this.#directory = directory
  }

  static async open(
    source: AsyncIterable<Uint8Array>,
    compression: Compression,
    name: string,
  ): Promise<UnpackedArchive> {
    const directory = await mkdtemp(join(tmpdir(), 'ecru-unpacked-'))
    try {
      const path = join(directory, 'archive.tar')
      await unpackTo(path, source, compression)
      return new UnpackedArchive(await TarFile.open(path, false, name), directory)
    } catch (error) {
      await rm(directory, { recursive: true, force: true })
      throw error
    }
  }

  sizeOf(name: string): number | undefined {
    return this.#tar.sizeOf(name)
  }

  read(name: string, from?: number): AsyncIterable<Uint8Array> {
    return this.#tar.read(name, from)
  }

  async close(): Promise<void> {
    await this.#tar.close()
    await rm(this.#directory, { recursive: true, force: true })
  }
}

/** An index of a million images has some 300 bytes for each. */
const TEXT_BYTES_MAX = 320 * 1024 * 1024

/** A small file as text; `undefined`: there is none. Throws `MovingFailure` when it is not small. */
export async function textIn(files: LayoutFiles, name: string): Promise<string | undefined> {
  const size = files.sizeOf(name)
  if (size === undefined) return undefined
  if (size > TEXT_BYTES_MAX)
    throw new MovingFailure(`${name} is larger than any that Ecru reads (${TEXT_BYTES_MAX >> 20} MiB).`)
  return new TextDecoder().decode(await bytesIn(files, name))
}

/** A whole file, in memory: for indexes and manifests. */
export async function bytesIn(files: LayoutFiles, name: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for await (const chunk of files.read(name)) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** The files below a directory. */
export class FolderFiles implements LayoutFiles {
  readonly #path: string

  constructor(path: string) {
    this.#path = path
  }

  sizeOf(name: string): number | undefined {
    const path = join(this.#path, name)
    const found = statSync(path, { throwIfNoEntry: false })
    return found?.isFile() === true && this.#isOwn(name, path) ? found.size : undefined
  }

  read(name: string, from = 0): AsyncIterable<Uint8Array> {
    return createReadStream(join(this.#path, name), { start: from, highWaterMark: 256 * 1024 })
  }

  async close(): Promise<void> {}

  /** Nothing leads out of the directory, but to content that is compared with its digest: some tools link that. */
  #isOwn(name: string, path: string): boolean {
    if (/^blobs\/sha(256|512)\/[0-9a-f]+$/.test(name)) return true
    const way = relative(realpathSync(this.#path), realpathSync(path))
    return !way.startsWith('..') && !isAbsolute(way)
  }
}

/** Text of a file that may not be there. */
export async function textAt(path: string): Promise<string | undefined> {
  return existsSync(path) ? readFile(path, 'utf8') : undefined
}
