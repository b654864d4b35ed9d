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
 * The matcher of an IAM pattern: `*` stands for any run of characters, `?` for exactly one. Never slower than the lengths
 * of pattern and text multiplied.
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
  return (text) => text.startsWith(start) && matches(tokens, text)
}

/** Whenever something after a `*` does not fit, that `*` takes one character more; an earlier one never needs to. */
function matches(tokens: readonly Token[], text: string): boolean {
  let at = 0
  let star = -1
  let starEnd = 0
  for (let index = 0; index < text.length; ) {
    const wanted = tokens[at]
    if (wanted === ANY) {
      star = at++
      starEnd = index
    } else if (wanted === ONE || wanted === text[index]) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++starEnd
    } else return false
  }
  while (tokens[at] === ANY) at++
  return at === tokens.length
}
