import { inflateRawSync, inflateSync } from 'node:zlib'
import { layerTooLarge } from '../domain/inventory/errors.ts'
import type { Inflater } from '../domain/inventory/inflater.ts'
import { MalformedFile } from '../domain/inventory/malformed-file.ts'

/** Inflates by zlib, for one layer: `budgetBytes` is what all its archives together may hold. */
export class BudgetedInflater implements Inflater {
  readonly #budgetBytes: number
  #inflatedBytes = 0

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
    try {
      const content = inflate(compressed, { maxOutputLength })
      this.#inflatedBytes += content.length
      return content
    } catch (error) {
      if (!(error instanceof Error)) throw error
      const code = 'code' in error ? error.code : undefined
      if (code !== 'ERR_BUFFER_TOO_LARGE')
        throw new MalformedFile('a compressed part of it is damaged', { cause: error })
      // What was inflated in vain is work too.
      this.#inflatedBytes += maxOutputLength
      if (this.#inflatedBytes >= this.#budgetBytes)
        throw layerTooLarge(`its archives hold more than ${this.#budgetBytes} bytes`)
      throw new MalformedFile(`a compressed part of it holds more than ${maxBytes} bytes`)
    }
  }
}
