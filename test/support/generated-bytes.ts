import { createHash } from 'node:crypto'

const BLOCK_BYTES = 2 ** 20

/** Bytes made as they are taken, the same for the same seed; each block differs from all others. */
export function generatedBytes(
  seed: string,
  sizeBytes: number,
  onBytes: (bytes: Uint8Array) => void,
): ReadableStream<Uint8Array> {
  const noise = Buffer.alloc(BLOCK_BYTES)
  for (let at = 0, n = 0; at < BLOCK_BYTES; at += 32, n++)
    createHash('sha256').update(`${seed}/${n}`).digest().copy(noise, at)
  let made = 0
  return new ReadableStream(
    {
      pull(controller) {
        const block = Buffer.from(noise.subarray(0, Math.min(BLOCK_BYTES, sizeBytes - made)))
        block.writeBigUInt64LE(BigInt(made), 0)
        made += block.length
        onBytes(block)
        controller.enqueue(block)
        if (made >= sizeBytes) controller.close()
      },
    },
    { highWaterMark: 1 },
  )
}
