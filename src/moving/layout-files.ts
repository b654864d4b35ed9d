import { createReadStream, existsSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TarFile } from './tar-file.ts'

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
  return await TarFile.open(path)
}

/** A small file as text; `undefined`: there is none. */
export async function textIn(files: LayoutFiles, name: string): Promise<string | undefined> {
  if (files.sizeOf(name) === undefined) return undefined
  return new TextDecoder().decode(await bytesIn(files, name))
}

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
    const found = statSync(join(this.#path, name), { throwIfNoEntry: false })
    return found?.isFile() === true ? found.size : undefined
  }

  read(name: string, from = 0): AsyncIterable<Uint8Array> {
    return createReadStream(join(this.#path, name), { start: from, highWaterMark: 256 * 1024 })
  }

  async close(): Promise<void> {}
}

/** Text of a file that may not be there. */
export async function textAt(path: string): Promise<string | undefined> {
  return existsSync(path) ? readFile(path, 'utf8') : undefined
}
