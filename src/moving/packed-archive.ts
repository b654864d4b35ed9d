import { existsSync } from 'node:fs'
import { open, rename, rm } from 'node:fs/promises'
import { type Compression, compressionOf } from '../lib/decompressed.ts'
import type { RunningHash } from '../lib/hash-stream.ts'
import { packed } from '../lib/packed.ts'
import { GrowingArchive } from './growing-archive.ts'
import type { GrowingFiles } from './layout-target.ts'
import type { BlobWanted } from './places.ts'
import { unpackTo } from './unpacking.ts'

/**
 * A layout in one packed archive. It grows unpacked, in a file beside it that a run which was cut off leaves to the next,
 * and is packed in the end; an archive of that name is whole.
 */
export class PackedArchive implements GrowingFiles {
  readonly #path: string
  readonly #compression: Compression
  readonly #archive: GrowingArchive

  private constructor(path: string, compression: Compression, archive: GrowingArchive) {
    this.#path = path
    this.#compression = compression
    this.#archive = archive
  }

  /** Takes up what is there. Throws `MovingFailure` when it is no layout. */
  static async open(path: string, compression: Compression): Promise<PackedArchive> {
    const work = workOf(path)
    if (existsSync(path) && !existsSync(work) && !existsSync(`${work}.part`)) {
      const file = Bun.file(path)
      const start = new Uint8Array(await file.slice(0, 4).arrayBuffer())
      await unpackTo(`${work}.new`, file.stream(), compressionOf(start))
      await rename(`${work}.new`, work)
    }
    return new PackedArchive(path, compression, await GrowingArchive.open(work))
  }

  sizeOf(name: string): number | undefined {
    return this.#archive.sizeOf(name)
  }

  read(name: string, from?: number): AsyncIterable<Uint8Array> {
    return this.#archive.read(name, from)
  }

  add(
    name: string,
    wanted: BlobWanted,
    read: (from: number, hash: RunningHash) => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    return this.#archive.add(name, wanted, read)
  }

  async finish(index: string): Promise<void> {
    await this.#archive.finish(index)
    const work = workOf(this.#path)
    const beside = `${this.#path}.new`
    const file = await open(beside, 'w')
    try {
      for await (const chunk of packed(Bun.file(work).stream(), this.#compression))
        for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at)).bytesWritten
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(beside, this.#path)
    await rm(work)
  }

  close(): Promise<void> {
    return this.#archive.close()
  }
}

const workOf = (path: string) => `${path}.unpacked.tar`
