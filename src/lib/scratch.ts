const FIRST_BYTES = 64 * 1024

/** One buffer that takes one file after the other, so that reading many leaves no garbage. It is as large as the largest of them. */
export class Scratch {
  #buffer = new Uint8Array(FIRST_BYTES)
  #filled = 0

  get filled(): number {
    return this.#filled
  }

  /** Begins anew. What was handed out before is no longer valid. */
  clear(): void {
    this.#filled = 0
  }

  /** Makes room for so many bytes in all, at once rather than step by step. */
  reserve(totalBytes: number): void {
    if (totalBytes <= this.#buffer.length) return
    const larger = new Uint8Array(totalBytes)
    larger.set(this.#buffer.subarray(0, this.#filled))
    this.#buffer = larger
  }

  append(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length
    if (needed > this.#buffer.length) this.reserve(Math.max(needed, this.#buffer.length * 2))
    this.#buffer.set(bytes, this.#filled)
    this.#filled = needed
  }

  /** What was appended: a view, valid until the next call of `clear` or `append`. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#filled)
  }

  /** The same for good: whoever takes it has it, and the next file gets a buffer of its own. */
  take(): Uint8Array {
    const taken = this.bytes()
    this.#buffer = new Uint8Array(FIRST_BYTES)
    this.#filled = 0
    return taken
  }
}
