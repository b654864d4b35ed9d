import { createCipheriv, createHash } from 'node:crypto'

const chunkBytes = 1 << 20

/** The bytes of a layer that no compressor can shrink, always the same for the same seed, made on the fly in 1 MiB pieces. */
export function* generatedLayer(seed: string, sizeBytes: number): Generator<Uint8Array> {
  const key = createHash('sha256').update(seed).digest()
  const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16))
  const zeros = Buffer.alloc(chunkBytes)
  for (let made = 0; made < sizeBytes; made += chunkBytes) {
    yield stream.update(zeros.subarray(0, Math.min(chunkBytes, sizeBytes - made)))
  }
}

/** A blob that lies in a file, with what a registry wants to know of it. */
export interface LayerFile {
  readonly path: string
  readonly sizeBytes: number
  readonly digest: string
}

/** Writes a generated layer to a file, to be removed by the caller. */
export async function writeLayerFile(path: string, seed: string, sizeBytes: number): Promise<LayerFile> {
  const hash = new Bun.CryptoHasher('sha256')
  const writer = Bun.file(path).writer({ highWaterMark: 8 * chunkBytes })
  for (const chunk of generatedLayer(seed, sizeBytes)) {
    hash.update(chunk)
    writer.write(chunk)
    await writer.flush()
  }
  await writer.end()
  return { path, sizeBytes, digest: `sha256:${hash.digest('hex')}` }
}

/** A generated layer as one array; for small ones. */
export function layerBytes(seed: string, sizeBytes: number): Uint8Array {
  return Buffer.concat([...generatedLayer(seed, sizeBytes)])
}
