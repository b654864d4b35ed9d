import { type Digest, digestHex } from '../domain/digest.ts'

/** So many hexadecimal digits of a name are one exact number. */
const DIGITS = 12
const FIRST_ROOM = 1024

/**
 * The names of many objects in eight bytes each. It may believe to have one that it has not (one in millions of millions),
 * so that it serves those who keep what they find in it.
 */
export class ObjectNames {
  #names = new Float64Array(FIRST_ROOM)
  #count = 0
  #isSorted = true

  add(object: Digest): void {
    if (this.#count === this.#names.length) this.#makeRoom()
    this.#names[this.#count++] = numberOf(digestHex(object))
    this.#isSorted = false
  }

  has(hex: string): boolean {
    if (!this.#isSorted) this.#settle()
    const wanted = numberOf(hex)
    let [from, to] = [0, this.#count]
    while (from < to) {
      const middle = (from + to) >>> 1
      const found = this.#names[middle] ?? 0
      if (found === wanted) return true
      if (found < wanted) from = middle + 1
      else to = middle
    }
    return false
  }

  #makeRoom(): void {
    this.#settle()
    if (this.#count < this.#names.length / 2) return
    const larger = new Float64Array(this.#names.length * 2)
    larger.set(this.#names.subarray(0, this.#count))
    this.#names = larger
  }

  /** Sorts, and drops what is there twice: most snapshots name the same objects. */
  #settle(): void {
    const names = this.#names.subarray(0, this.#count).sort()
    let kept = 0
    for (const name of names) if (kept === 0 || name !== names[kept - 1]) names[kept++] = name
    this.#count = kept
    this.#isSorted = true
  }
}

function numberOf(hex: string): number {
  return Number.parseInt(hex.slice(0, DIGITS), 16)
}
