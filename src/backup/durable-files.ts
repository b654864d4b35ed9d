import { randomUUID } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { freeMemory } from '../lib/free-memory.ts'

/** What was written: its size and SHA-256. */
export interface Written {
  readonly sizeBytes: number
  readonly sha256: string
}

/** Writes a file for its owner alone, on the disk when it answers; `see` gets every chunk before it is written. */
export async function writeDurably(
  path: string,
  body: AsyncIterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<Written> {
  const hash = new Bun.CryptoHasher('sha256')
  let sizeBytes = 0
  const file = await open(path, 'w', 0o600)
  try {
    for await (const chunk of body) {
      signal?.throwIfAborted()
      hash.update(chunk)
      sizeBytes += chunk.byteLength
      await writeAll(file, chunk)
    }
    await file.sync()
  } finally {
    await file.close()
  }
  return { sizeBytes, sha256: hash.digest('hex') }
}

/** The same under another name first, so that a file of that name is whole whenever there is one. */
export async function replaceDurably(path: string, text: string): Promise<Written> {
  const beside = `${path}.${randomUUID()}.new`
  try {
    const written = await writeDurably(beside, once(new TextEncoder().encode(text)))
    await rename(beside, path)
    await syncDirectory(dirname(path))
    return written
  } catch (error) {
    await rm(beside, { force: true })
    throw error
  }
}

/** Makes directories one below the other, for their owner alone; their names are on the disk when it answers. */
export async function makeDurably(root: string, ...names: readonly string[]): Promise<string> {
  let path = root
  for (const name of names) {
    const parent = path
    path = join(path, name)
    const made = await mkdir(path, { recursive: true, mode: 0o700 })
    if (made !== undefined) await syncDirectory(parent)
  }
  return path
}

/** Makes the names in a directory durable: files that were made, renamed or removed there. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r')
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Writes all of a chunk at the beginning of a file; one call of the system may write less. */
export async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at)).bytesWritten
}

/** The size and SHA-256 of a file as it is. */
export async function sumOf(path: string): Promise<Written> {
  const hash = new Bun.CryptoHasher('sha256')
  let sizeBytes = 0
  for await (const chunk of Bun.file(path).stream()) {
    hash.update(chunk)
    sizeBytes += chunk.byteLength
    freeMemory(chunk)
  }
  return { sizeBytes, sha256: hash.digest('hex') }
}

/** The size and SHA-256 of bytes that come one after the other. */
export async function sumOfBytes(bytes: AsyncIterable<Uint8Array>): Promise<Written> {
  const hash = new Bun.CryptoHasher('sha256')
  let sizeBytes = 0
  for await (const chunk of bytes) {
    hash.update(chunk)
    sizeBytes += chunk.byteLength
  }
  return { sizeBytes, sha256: hash.digest('hex') }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield bytes
}
