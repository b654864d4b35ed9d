import { statSync } from 'node:fs'
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { digestAlgorithm } from '../domain/digest.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import { FolderFiles } from './layout-files.ts'
import { INDEX_FILE, LAYOUT_FILE, LAYOUT_TEXT } from './layout-format.ts'
import type { GrowingFiles } from './layout-target.ts'
import { type BlobWanted, MovingFailure } from './places.ts'

const PART = '.part'

/** A layout in a directory. What of a blob had come when a run was cut off is kept beside it, and taken up. */
export class GrowingFolder extends FolderFiles implements GrowingFiles {
  readonly #path: string

  private constructor(path: string) {
    super(path)
    this.#path = path
  }

  /** Makes the directory when it is absent. Throws `MovingFailure` when it holds something else. */
  static async open(path: string): Promise<GrowingFolder> {
    await mkdir(path, { recursive: true })
    const folder = new GrowingFolder(path)
    const names = await readdir(path)
    if (
      folder.sizeOf(LAYOUT_FILE) === undefined &&
      names.some((name) => !['blobs', `${LAYOUT_FILE}${PART}`].includes(name))
    )
      throw new MovingFailure(
        `${path} holds other things than an OCI image layout: name an empty directory, or a new one.`,
      )
    await folder.#replace(LAYOUT_FILE, LAYOUT_TEXT)
    return folder
  }

  async add(
    name: string,
    { digest, sizeBytes }: BlobWanted,
    read: (from: number, hash: RunningHash) => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    const path = join(this.#path, name)
    const part = `${path}${PART}`
    await mkdir(dirname(path), { recursive: true })
    const had = statSync(part, { throwIfNoEntry: false })?.size ?? 0
    const file = await open(part, had > 0 && had < sizeBytes ? 'r+' : 'w')
    const [own, theirs] = [new RunningHash(digestAlgorithm(digest)), new RunningHash(digestAlgorithm(digest))]
    try {
      if (had > 0 && had < sizeBytes)
        for await (const chunk of Bun.file(part).stream()) {
          own.update(chunk)
          theirs.update(chunk)
        }
      for await (const chunk of read(own.sizeBytes, theirs)) {
        for (let at = 0; at < chunk.byteLength; )
          at += (await file.write(chunk, at, chunk.byteLength - at, own.sizeBytes + at)).bytesWritten
        own.update(chunk)
        if (own.sizeBytes > sizeBytes) break
      }
      if (own.sizeBytes !== sizeBytes || own.digest() !== digest) {
        await rm(part, { force: true })
        throw new MovingFailure(`What comes as ${digest} has other bytes.`)
      }
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(part, path)
  }

  finish(index: string): Promise<void> {
    return this.#replace(INDEX_FILE, index)
  }

  async #replace(name: string, text: string): Promise<void> {
    const path = join(this.#path, name)
    const file = await open(`${path}${PART}`, 'w')
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(`${path}${PART}`, path)
  }
}
