import { Readable } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { layerUnreadable } from '../domain/inventory/errors.ts'

/** How a layer is packed. */
export type Compression = 'none' | 'gzip' | 'zstd'

/** Large pieces: the cost of a layer is then the decompression alone. */
const PIECE_BYTES = 256 * 1024

/** What bytes that begin so are packed with; a layer's media type is not always right about it. */
export function compressionOf(start: Uint8Array): Compression {
  const [a, b, c, d] = start
  if (a === 0x1f && b === 0x8b) return 'gzip'
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd'
  // Frames to be skipped, with which a zstd stream may begin.
  if (a !== undefined && (a & 0xf0) === 0x50 && b === 0x2a && c === 0x4d && d === 0x18) return 'zstd'
  return 'none'
}

/**
 * The bytes of a packed stream, however many members or frames it has. Reads on only as they are taken. Failures of the
 * source pass unchanged; what cannot be decompressed throws `layer-unreadable`. A zstd stream that is cut off ends
 * quietly: whoever reads has to know where the content ends.
 */
export async function* decompressed(
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): AsyncGenerator<Uint8Array, void, void> {
  if (compression === 'none') {
    yield* source
    return
  }
  const unpack =
    compression === 'gzip' ? createGunzip({ chunkSize: PIECE_BYTES }) : createZstdDecompress({ chunkSize: PIECE_BYTES })
  let sourceFailure: { readonly error: unknown } | undefined
  const input = Readable.from(
    guarded(source, (error) => (sourceFailure = { error })),
    { objectMode: true, highWaterMark: 2 },
  )
  input.on('error', (error) => unpack.destroy(error))
  input.pipe(unpack)
  try {
    for await (const piece of unpack) yield piece as Uint8Array
  } catch (error) {
    if (sourceFailure !== undefined) throw sourceFailure.error
    throw layerUnreadable(reasonOf(error), { cause: error })
  } finally {
    input.destroy()
    unpack.destroy()
  }
}

async function* guarded(
  source: AsyncIterable<Uint8Array>,
  noteFailure: (error: unknown) => void,
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* source
  } catch (error) {
    noteFailure(error)
    throw error
  }
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return code === 'Z_BUF_ERROR' ? 'its compressed data is cut off' : 'its compressed data is damaged'
}
