import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip, createZstdCompress } from 'node:zlib'
import type { Compression } from './decompressed.ts'

const PIECE_BYTES = 256 * 1024

/** A stream packed as it passes by, by settings that are quick rather than small. Reads on only as it is read. */
export async function* packed(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array, void, void> {
  if (compression === 'none') {
    yield* source
    return
  }
  const pack =
    compression === 'gzip'
      ? createGzip({ chunkSize: PIECE_BYTES, level: 1 })
      : createZstdCompress({ chunkSize: PIECE_BYTES })
  const feeding = pipeline(Readable.from(source, { objectMode: true, highWaterMark: 2 }), pack)
  // Whoever reads hears of a failure by the pieces, and afterwards by this.
  feeding.catch(() => undefined)
  for await (const piece of pack) yield piece as Uint8Array
  await feeding
}

/** How an archive of that name is packed; `undefined`: it is no name of an archive. */
export function compressionByName(path: string): Compression | undefined {
  const [, ending] = /\.(tar|tar\.gz|tgz|tar\.zst|tzst)$/.exec(path) ?? []
  if (ending === undefined) return undefined
  if (ending === 'tar') return 'none'
  return ending.endsWith('gz') ? 'gzip' : 'zstd'
}
