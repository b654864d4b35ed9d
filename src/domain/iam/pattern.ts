/** Says whether a whole text matches. */
export type PatternMatcher = (text: string) => boolean

/**
 * The matcher of an IAM pattern: `*` stands for any run of characters, `?` for exactly one. Never slower than the lengths
 * of pattern and text multiplied.
 */
export function patternMatcher(pattern: string): PatternMatcher {
  if (!/[*?]/.test(pattern)) return (text) => text === pattern
  return (text) => matches(pattern, text)
}

/** Whenever something after a `*` does not fit, that `*` takes one character more; an earlier one never needs to. */
function matches(pattern: string, text: string): boolean {
  let at = 0
  let star = -1
  let starEnd = 0
  for (let index = 0; index < text.length; ) {
    const wanted = pattern[at]
    if (wanted === '*') {
      star = at++
      starEnd = index
    } else if (wanted === '?' || wanted === text[index]) {
      at++
      index++
    } else if (star >= 0) {
      at = star + 1
      index = ++starEnd
    } else return false
  }
  while (pattern[at] === '*') at++
  return at === pattern.length
}
