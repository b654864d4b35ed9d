import { layerUnreadable } from '../domain/inventory/errors.ts'
import { BLOCK_BYTES, hasContent, parsePaxRecords, parseTarHeader, typeOfFlag } from './tar-header.ts'

/** A plain file of an archive that is read from its beginning to its end. */
export interface StreamedFile {
  readonly name: string
  readonly sizeBytes: number
  /** To be read, or not, before the next file is asked for. Throws `layer-unreadable` when the archive is cut off. */
  content(): AsyncGenerator<Uint8Array, void, void>
}

const EXTENSION_BYTES_MAX = 1024 * 1024

/**
 * The plain files of a tar archive as they come; directories, links and devices are passed over. Keeps a piece of the
 * stream at a time. Throws `layer-unreadable` when it is damaged or cut off.
 */
export async function* filesOfTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<StreamedFile, void, void> {
  const bytes = new Pieces(source)
  let longName: string | undefined
  let longSize: number | undefined
  try {
    for (;;) {
      const block = await bytes.exactly(BLOCK_BYTES)
      const header = block === undefined ? undefined : parseTarHeader(block)
      if (block === undefined) throw layerUnreadable('its archive is cut off')
      if (header === undefined) return
      const { flag } = header
      if (flag === 'x' || flag === 'L' || flag === 'g' || flag === 'K') {
        if (header.sizeBytes > EXTENSION_BYTES_MAX)
          throw layerUnreadable('an extension header of its archive is too long')
        const text = await bytes.exactly(header.sizeBytes)
        await bytes.skip(paddingOf(header.sizeBytes))
        if (text === undefined) throw layerUnreadable('its archive is cut off')
        if (flag === 'L') longName = new TextDecoder().decode(text).replace(/\0.*$/s, '')
        if (flag !== 'x') continue
        const records = parsePaxRecords(text)
        longName = records.get('path') ?? longName
        longSize = sizeOf(records.get('size'))
        continue
      }
      const name = (longName ?? header.path).replace(/^(?:\.?\/)+/, '')
      const sizeBytes = hasContent(flag) ? (longSize ?? header.sizeBytes) : 0
      longName = longSize = undefined
      const end = bytes.position + sizeBytes
      if (typeOfFlag(flag, name) === 'file') yield { name, sizeBytes, content: () => bytes.until(end) }
      await bytes.skip(end - bytes.position + paddingOf(sizeBytes))
    }
  } finally {
    await bytes.close()
  }
}

function paddingOf(sizeBytes: number): number {
  return (BLOCK_BYTES - (sizeBytes % BLOCK_BYTES)) % BLOCK_BYTES
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (!/^\d{1,15}$/.test(text)) throw layerUnreadable('an entry of its archive has an impossible size')
  return Number(text)
}

/** A stream of bytes that is taken by number. */
class Pieces {
  readonly #source: AsyncIterator<Uint8Array>
  #piece: Uint8Array = new Uint8Array(0)
  position = 0

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]()
  }

  /** `undefined`: there are no more. */
  async #some(most: number): Promise<Uint8Array | undefined> {
    while (this.#piece.byteLength === 0) {
      const { done, value } = await this.#source.next()
      if (done === true) return undefined
      this.#piece = value
    }
    const taken = this.#piece.subarray(0, most)
    this.#piece = this.#piece.subarray(taken.byteLength)
    this.position += taken.byteLength
    return taken
  }

  /** `undefined`: the stream ends before. */
  async exactly(count: number): Promise<Uint8Array | undefined> {
    const whole = new Uint8Array(count)
    for (let filled = 0; filled < count; ) {
      const some = await this.#some(count - filled)
      if (some === undefined) return undefined
      whole.set(some, filled)
      filled += some.byteLength
    }
    return whole
  }

  async *until(end: number): AsyncGenerator<Uint8Array, void, void> {
    while (this.position < end) {
      const some = await this.#some(end - this.position)
      if (some === undefined) throw layerUnreadable('its archive is cut off')
      yield some
    }
  }

  async skip(count: number): Promise<void> {
    for (const end = this.position + count; this.position < end; )
      if ((await this.#some(end - this.position)) === undefined) throw layerUnreadable('its archive is cut off')
  }

  async close(): Promise<void> {
    await this.#source.return?.()
  }
}
