import { inflateRawSync, inflateSync } from 'node:zlib'
import { layerTooLarge } from '../domain/inventory/errors.ts'
import type { Inflater } from '../domain/inventory/inflater.ts'
import { MalformedFile } from '../domain/inventory/malformed-file.ts'

/** What was inflated and is needed no more is given back each time that it may be so much: by itself, it waits for long. */
const SWEEP_BYTES = 64 * 1024 * 1024

/** Inflates by zlib, for one layer: `budgetBytes` is what all its archives together may hold. */
export class BudgetedInflater implements Inflater {
  readonly #budgetBytes: number
  #inflatedBytes = 0
  #unsweptBytes = 0

  constructor(budgetBytes: number) {
    this.#budgetBytes = budgetBytes
  }

  raw(compressed: Uint8Array, maxBytes: number): Uint8Array {
    return this.#inflate(inflateRawSync, compressed, maxBytes)
  }

  zlib(compressed: Uint8Array, maxBytes: number): Uint8Array {
    return this.#inflate(inflateSync, compressed, maxBytes)
  }

  #inflate(inflate: typeof inflateSync, compressed: Uint8Array, maxBytes: number): Uint8Array {
    const left = this.#budgetBytes - this.#inflatedBytes
    const maxOutputLength = Math.max(1, Math.min(maxBytes, left))
    this.#sweep()
    try {
      const content = inflate(compressed, { maxOutputLength })
      this.#count(content.length)
      return content
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const code = 'code' in error ? error.code : undefined
      if (code !== 'ERR_BUFFER_TOO_LARGE')
        throw new MalformedFile('a compressed part of it is damaged', { cause: error })
      // What was inflated in vain is work too.
      this.#count(maxOutputLength)
      if (this.#inflatedBytes >= this.#budgetBytes)
        throw layerTooLarge(`its archives hold more than ${this.#budgetBytes} bytes`)
      throw new MalformedFile(`a compressed part of it holds more than ${maxBytes} bytes`)
    }
  }

  #count(bytes: number): void {
    this.#inflatedBytes += bytes
    this.#unsweptBytes += bytes
  }

  #sweep(): void {
    if (this.#unsweptBytes < SWEEP_BYTES) return
    this.#unsweptBytes = 0
    Bun.gc(true)
  }
}
