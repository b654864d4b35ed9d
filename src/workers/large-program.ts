import { GO_BUILD_INFO_MAGIC, inlineGoModules, MAX_GO_BUILD_INFO_BYTES } from '../domain/inventory/go-binary.ts'
import type { FileFacts } from '../domain/inventory/layer-facts.ts'
import { MalformedFile } from '../domain/inventory/malformed-file.ts'
import type { Scratch } from '../lib/scratch.ts'

const HEADER_BYTES = 32
const IS_INLINE = 2
/** Stands among the names of sections of a program that cargo-auditable has built. */
const RUST_SECTION = '\0.dep-v0\0'

/**
 * Looks for the build information of a Go program that is too large to be held in memory, as it passes by. Finds what
 * Go 1.18 and later write, where the texts stand with it; of what it cannot read, it says at least that it is there.
 */
export class LargeProgram {
  readonly #scratch: Scratch
  #position = 0
  #isCollecting = false
  #unreadable: string | undefined

  constructor(scratch: Scratch) {
    this.#scratch = scratch
    scratch.clear()
  }

  /** The next bytes. False: enough was seen. */
  write(piece: Uint8Array): boolean {
    if (this.#isCollecting) {
      this.#scratch.append(piece)
      return this.#scratch.filled < MAX_GO_BUILD_INFO_BYTES
    }
    // The end of the piece before, in which the magic may have begun, and this one.
    const carried = this.#scratch.filled
    this.#scratch.append(piece)
    const area = this.#scratch.bytes()
    const start = this.#position - carried
    this.#position += piece.length
    const search = Buffer.from(area.buffer, area.byteOffset, area.byteLength)
    for (let at = search.indexOf(GO_BUILD_INFO_MAGIC); at >= 0; at = search.indexOf(GO_BUILD_INFO_MAGIC, at + 1)) {
      if ((start + at) % 16 !== 0) continue
      const flags = area[at + 15]
      if (flags === undefined) break
      if ((flags & IS_INLINE) !== 0) return this.#keepFrom(area, at, true)
      this.#unreadable ??= 'it is a Go program of before Go 1.18, and too large to be read'
    }
    if (search.includes(RUST_SECTION))
      this.#unreadable ??= 'it is a Rust program that lists its crates, and too large to be read'
    return this.#keepFrom(area, Math.max(0, area.length - HEADER_BYTES), false)
  }

  /** What was found, `undefined` when nothing of interest was there. */
  facts(): FileFacts | undefined {
    if (!this.#isCollecting) return this.#unreadable === undefined ? undefined : { unreadable: this.#unreadable }
    try {
      return { packages: inlineGoModules(this.#scratch.bytes()) }
    } catch (error) {
      if (!(error instanceof MalformedFile)) throw error
      return { unreadable: error.message }
    }
  }

  #keepFrom(area: Uint8Array, at: number, isCollecting: boolean): boolean {
    const kept = area.slice(at)
    this.#scratch.clear()
    this.#scratch.append(kept)
    this.#isCollecting = isCollecting
    return true
  }
}
