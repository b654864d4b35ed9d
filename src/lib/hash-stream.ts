import { type Digest, type DigestAlgorithm, parseDigest } from '../domain/digest.ts'

/**
 * A hash that follows bytes as they pass by and can be asked at any moment what it makes of them so far.
 *
 * It belongs to one stream of bytes in order. `sizeBytes` says how much it has seen: a staged upload of another size
 * holds other bytes than the hash, and must be hashed again from its beginning.
 */
export class RunningHash {
  readonly algorithm: DigestAlgorithm
  readonly #hasher: Bun.CryptoHasher
  #sizeBytes = 0

  constructor(algorithm: DigestAlgorithm = 'sha256') {
    this.algorithm = algorithm
    this.#hasher = new Bun.CryptoHasher(algorithm)
  }

  get sizeBytes(): number {
    return this.#sizeBytes
  }

  update(chunk: Uint8Array): void {
    this.#hasher.update(chunk)
    this.#sizeBytes += chunk.byteLength
  }

  /** The digest of all bytes so far. The hash goes on afterwards as if it had not been asked. */
  digest(): Digest {
    return parseDigest(`${this.algorithm}:${this.#hasher.copy().digest('hex')}`)
  }

  /**
   * Passes a body on, chunk by chunk, and hashes each chunk before it is handed out. Takes no chunk before the last one
   * was asked for; the body's failure passes unchanged; whoever stops early ends the body too.
   */
  async *through(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of body) {
      this.update(chunk)
      yield chunk
    }
  }
}
