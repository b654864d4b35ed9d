const FIRST_BYTES = 64 * 1024
const KEPT_BYTES = 16 * 1024 * 1024

/** One buffer that takes one file after the other, so that reading many leaves no garbage; large ones are let go. */
export class Scratch {
  #buffer = new Uint8Array(FIRST_BYTES)
  #filled = 0

  get filled(): number {
    return this.#filled
  }

  /** Begins anew. What was handed out before is no longer valid. */
  clear(): void {
    this.#filled = 0
    if (this.#buffer.length > KEPT_BYTES) this.#buffer = new Uint8Array(FIRST_BYTES)
  }

  append(bytes: Uint8Array): void {
    const needed = this.#filled + bytes.length
    if (needed > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(needed, this.#buffer.length * 2))
      larger.set(this.#buffer.subarray(0, this.#filled))
      this.#buffer = larger
    }
    this.#buffer.set(bytes, this.#filled)
    this.#filled = needed
  }

  /** What was appended: a view, valid until the next call of `clear` or `append`. */
  bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#filled)
  }
}
