import { wildcard } from '../wildcard.ts'
import type { TagSelection } from './rule.ts'

/** How the entries of a rule are to be read. */
export type TagList = Extract<TagSelection, { tagStatus: 'tagged' }>['list']

/** Whether a tag meets the entry of a rule. */
export function tagTest(list: TagList, entry: string): (tag: string) => boolean {
  return list === 'prefix' ? (tag) => tag.startsWith(entry) : wildcard(entry)
}

/** Stands between tags, and in none. */
const BETWEEN = '\n'

/**
 * Finds the tags that an entry of a rule means, among very many: they stand in one text, in which looking for a piece of the
 * entry is much faster than asking tag after tag.
 */
export class TagSearch {
  readonly #tags: readonly string[]
  readonly #text: string
  /** Where each tag begins in the text, and in the end where one more would. */
  readonly #starts: Uint32Array

  constructor(tags: readonly string[]) {
    this.#tags = tags
    this.#text = `${BETWEEN}${tags.join(BETWEEN)}${BETWEEN}`
    this.#starts = new Uint32Array(tags.length + 1)
    let start = BETWEEN.length
    for (let at = 0; at < tags.length; at++) {
      this.#starts[at] = start
      start += (tags[at] as string).length + BETWEEN.length
    }
    this.#starts[tags.length] = start
  }

  /** Calls `found` with the place of each tag that meets the entry, in ascending order. */
  find(list: TagList, entry: string, found: (at: number) => void): void {
    const isMet = tagTest(list, entry)
    const piece = list === 'prefix' ? `${BETWEEN}${entry}` : longestPiece(entry)
    // A piece that begins with what stands between two tags is about the second.
    const offset = piece.startsWith(BETWEEN) ? BETWEEN.length : 0
    let at = 0
    let position = this.#text.indexOf(piece)
    while (position >= 0) {
      while (at < this.#tags.length && (this.#starts[at + 1] as number) <= position + offset) at++
      if (at === this.#tags.length) return
      if (isMet(this.#tags[at] as string)) found(at)
      position = this.#text.indexOf(piece, (this.#starts[at + 1] as number) - BETWEEN.length)
    }
  }
}

/** The longest text that every match of a pattern contains, with what stands around it if it is at an end. */
function longestPiece(pattern: string): string {
  const pieces = `${BETWEEN}${pattern}${BETWEEN}`.split('*')
  return pieces.reduce((longest, piece) => (piece.length >= longest.length ? piece : longest))
}
