/** Says whether a whole text matches. */
export type PatternMatcher = (text: string) => boolean

/** A `*` of a pattern: any run of characters. */
export const ANY = 0
/** A `?` of a pattern: exactly one character. */
export const ONE = 1

/** One character that stands for itself, or a wildcard: so a character may be meant that looks like one. */
export type Token = string | typeof ANY | typeof ONE

/** The tokens of a text in which `*` and `?` are wildcards. */
export function wildTokens(text: string): readonly Token[] {
  return text.split('').map((character) => (character === '*' ? ANY : character === '?' ? ONE : character))
}

/** The tokens of a text in which nothing is a wildcard. */
export function plainTokens(text: string): readonly Token[] {
  return text.split('')
}

/**
 * The matcher of an IAM pattern: `*` stands for any run of characters, `?` for exactly one. Nobody's pattern takes long:
 * no `*` is ever tried twice, and what stands between two of them is searched for in one walk along the text.
 */
export function patternMatcher(pattern: string): PatternMatcher {
  if (pattern === '*') return () => true
  return tokenMatcher(wildTokens(pattern))
}

/** The same for a pattern in tokens. The commonest forms, a text and a text before a `*`, take one comparison. */
export function tokenMatcher(tokens: readonly Token[]): PatternMatcher {
  const wild = tokens.findIndex((token) => typeof token === 'number')
  const start = tokens.slice(0, wild < 0 ? undefined : wild).join('')
  if (wild < 0) return (text) => text === start
  if (wild === tokens.length - 1 && tokens[wild] === ANY) return (text) => text.startsWith(start)
  let pieces: readonly Piece[] | undefined
  return (text) => {
    if (!text.startsWith(start)) return false
    pieces ??= piecesOf(tokens)
    return matches(pieces, text)
  }
}

/** What stands between two `*`. */
type Piece = readonly Exclude<Token, typeof ANY>[]

function piecesOf(tokens: readonly Token[]): readonly Piece[] {
  const pieces: Exclude<Token, typeof ANY>[][] = [[]]
  for (const token of tokens) {
    if (token === ANY) pieces.push([])
    else pieces.at(-1)?.push(token)
  }
  // Several `*` in a row are one.
  return pieces.filter((piece, index) => piece.length > 0 || index === 0 || index === pieces.length - 1)
}

/** The first piece begins the text and the last one ends it; each of the others is best where it is found first. */
function matches(pieces: readonly Piece[], text: string): boolean {
  const [first = [], ...others] = pieces
  const last = others.pop()
  if (last === undefined) return text.length === first.length && fits(first, text, 0)
  const end = text.length - last.length
  if (end < first.length || !fits(first, text, 0) || !fits(last, text, end)) return false
  let at = first.length
  for (const piece of others) {
    const found = find(piece, text, at, end)
    if (found < 0) return false
    at = found + piece.length
  }
  return true
}

function fits(piece: Piece, text: string, at: number): boolean {
  for (let index = 0; index < piece.length; index++) {
    const wanted = piece[index]
    if (wanted !== ONE && wanted !== text[at + index]) return false
  }
  return true
}

/** Up to so many comparisons, trying every place is the quickest. */
const TRIED_MAX = 10_000

/** Where a piece begins first, from `start`, so that it ends by `end`; -1: nowhere. */
function find(piece: Piece, text: string, start: number, end: number): number {
  const room = end - start - piece.length
  if (room < 0) return -1
  if (room * piece.length > TRIED_MAX) return findLong(piece, text, start, end)
  for (let at = start; at <= start + room; at++) if (fits(piece, text, at)) return at
  return -1
}

const WORD_BITS = 31

/**
 * The same in one walk: a bit for each token says whether the piece fits so far up to it (Baeza-Yates and Gonnet, 1992), so
 * that a step along the text takes one operation for 31 tokens.
 */
function findLong(piece: Piece, text: string, start: number, end: number): number {
  const words = Math.ceil(piece.length / WORD_BITS)
  const wild = new Int32Array(words)
  const masks = new Map<string, Int32Array>()
  piece.forEach((token, index) => {
    if (token === ONE) setBit(wild, index)
  })
  piece.forEach((token, index) => {
    if (token === ONE) return
    const mask = masks.get(token) ?? wild.slice()
    setBit(mask, index)
    masks.set(token, mask)
  })
  const state = new Int32Array(words)
  const lastWord = words - 1
  const lastBit = 1 << ((piece.length - 1) % WORD_BITS)
  for (let at = start; at < end; at++) {
    const mask = masks.get(text[at] ?? '') ?? wild
    let carry = 1
    for (let word = 0; word < words; word++) {
      const bits = state[word] ?? 0
      state[word] = ((bits << 1) | carry) & (mask[word] ?? 0) & ALL_BITS
      carry = (bits >>> (WORD_BITS - 1)) & 1
    }
    if (((state[lastWord] ?? 0) & lastBit) !== 0) return at + 1 - piece.length
  }
  return -1
}

const ALL_BITS = 0x7fff_ffff

function setBit(words: Int32Array, index: number): void {
  const word = Math.floor(index / WORD_BITS)
  words[word] = (words[word] ?? 0) | (1 << (index % WORD_BITS))
}
