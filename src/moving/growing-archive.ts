import { createReadStream, existsSync } from 'node:fs'
import { type FileHandle, open, rename, rm, truncate } from 'node:fs/promises'
import { digestAlgorithm, tryParseDigest } from '../domain/digest.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import { padding, TAR_END, tarHeader } from '../lib/tar-writer.ts'
import { INDEX_FILE, LAYOUT_FILE, LAYOUT_TEXT } from './layout-format.ts'
import type { GrowingFiles } from './layout-target.ts'
import { type BlobWanted, MovingFailure } from './places.ts'
import { type TarEntry, TarFile } from './tar-file.ts'

/**
 * A layout in one archive. While it is written it has another name, so that an archive of that name is whole; what is in it
 * stays where it is, and a later index counts instead of an earlier one. One blob is written at a time.
 */
export class GrowingArchive implements GrowingFiles {
  readonly #path: string
  readonly #part: string
  readonly #file: FileHandle
  readonly #entries: Map<string, TarEntry>
  #end: number
  #writing: Promise<unknown> = Promise.resolve()
  #isGrown: boolean

  private constructor(
    path: string,
    file: FileHandle,
    entries: ReadonlyMap<string, TarEntry>,
    end: number,
    isGrown: boolean,
  ) {
    this.#path = path
    this.#part = partOf(path)
    this.#file = file
    this.#entries = new Map(entries)
    this.#end = end
    this.#isGrown = isGrown
  }

  /** Takes up what is there. Throws `MovingFailure` when it is no layout. */
  static async open(path: string): Promise<GrowingArchive> {
    const part = partOf(path)
    // What a run that was cut off has left may end anywhere, and its last bytes may be no one's.
    const isTorn = existsSync(part)
    if (!isTorn && existsSync(path)) {
      const whole = await TarFile.open(path)
      await whole.close()
      if (whole.sizeOf(LAYOUT_FILE) === undefined) throw new MovingFailure(`${path} is no OCI image layout.`)
      await rename(path, part)
    }
    const { entries, end } = existsSync(part) ? await takeUp(part, isTorn) : { entries: new Map(), end: 0 }
    const file = await open(part, existsSync(part) ? 'r+' : 'w+')
    const archive = new GrowingArchive(path, file, entries, end, isTorn || end === 0)
    if (!entries.has(LAYOUT_FILE)) await archive.#addText(LAYOUT_FILE, LAYOUT_TEXT)
    return archive
  }

  sizeOf(name: string): number | undefined {
    return this.#entries.get(name)?.sizeBytes
  }

  async *read(name: string, from = 0): AsyncGenerator<Uint8Array, void, void> {
    const entry = this.#entries.get(name)
    if (entry === undefined || from >= entry.sizeBytes) return
    const range = { start: entry.offset + from, end: entry.offset + entry.sizeBytes - 1 }
    yield* createReadStream(this.#part, range) as AsyncIterable<Uint8Array>
  }

  add(
    name: string,
    { digest, sizeBytes }: BlobWanted,
    read: (from: number, hash: RunningHash) => AsyncIterable<Uint8Array>,
  ): Promise<void> {
    return this.#alone(async () => {
      const own = new RunningHash(digestAlgorithm(digest))
      const start = await this.#begin(name, sizeBytes)
      for await (const chunk of read(0, new RunningHash(digestAlgorithm(digest)))) {
        own.update(chunk)
        if (own.sizeBytes > sizeBytes) break
        await this.#write(chunk, start + own.sizeBytes - chunk.byteLength)
      }
      if (own.sizeBytes !== sizeBytes || own.digest() !== digest)
        throw new MovingFailure(`What comes as ${digest} has other bytes.`)
      await this.#complete(name, start, sizeBytes)
    })
  }

  async finish(index: string): Promise<void> {
    const earlier = this.#entries.get(INDEX_FILE)
    if (this.#isGrown || earlier === undefined || (await this.#text(INDEX_FILE)) !== index)
      await this.#addText(INDEX_FILE, index)
    await this.#file.truncate(this.#end)
    await this.#write(TAR_END, this.#end)
    await this.#file.sync()
    await this.#file.close()
    await rename(this.#part, this.#path)
  }

  async close(): Promise<void> {
    await this.#file.close().catch(() => undefined)
  }

  async #addText(name: string, text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text)
    await this.#alone(async () => {
      const start = await this.#begin(name, bytes.byteLength)
      await this.#write(bytes, start)
      await this.#complete(name, start, bytes.byteLength)
    })
  }

  async #text(name: string): Promise<string> {
    const chunks: Uint8Array[] = []
    for await (const chunk of this.read(name)) chunks.push(chunk)
    return new TextDecoder().decode(Buffer.concat(chunks))
  }

  /** What a failure leaves behind the last entry is written over. */
  async #begin(name: string, sizeBytes: number): Promise<number> {
    const header = tarHeader(name, sizeBytes)
    await this.#write(header, this.#end)
    return this.#end + header.byteLength
  }

  async #complete(name: string, start: number, sizeBytes: number): Promise<void> {
    const rest = padding(sizeBytes)
    await this.#write(rest, start + sizeBytes)
    this.#entries.set(name, { offset: start, sizeBytes })
    this.#end = start + sizeBytes + rest.byteLength
    this.#isGrown = true
  }

  async #write(bytes: Uint8Array, position: number): Promise<void> {
    for (let at = 0; at < bytes.byteLength; )
      at += (await this.#file.write(bytes, at, bytes.byteLength - at, position + at)).bytesWritten
  }

  async #alone(work: () => Promise<void>): Promise<void> {
    const turn = this.#writing.then(work)
    this.#writing = turn.catch(() => undefined)
    await turn
  }
}

const partOf = (path: string) => `${path}.part`

/** The entries that can be relied on. After a run that was cut off, blobs are compared with their digests. */
async function takeUp(part: string, isTorn: boolean): Promise<{ entries: Map<string, TarEntry>; end: number }> {
  const archive = await TarFile.open(part, isTorn)
  const entries = new Map(archive.entries)
  try {
    if (isTorn)
      for (const name of archive.entries.keys()) {
        const digest = tryParseDigest(name.replace(/^blobs\//, '').replace('/', ':'))
        if (digest === undefined) continue
        const hash = new RunningHash(digestAlgorithm(digest))
        for await (const chunk of archive.read(name)) hash.update(chunk)
        if (hash.digest() !== digest) entries.delete(name)
      }
    if (archive.endOffset === 0) await rm(part, { force: true })
    else await truncate(part, archive.endOffset)
    return { entries, end: archive.endOffset }
  } finally {
    await archive.close()
  }
}
