/**
 * Prepares a wildcard of an event pattern: `*` stands for any run of characters, `\*` and `\\` for the character itself.
 * Answers `undefined` for one that EventBridge refuses: a stray backslash, or two stars in a row. A match takes one walk
 * along the text.
 */
export function patternWildcard(pattern: string): ((text: string) => boolean) | undefined {
  const pieces = piecesOf(pattern)
  if (pieces === undefined) return undefined
  const [first = '', ...rest] = pieces
  const last = rest.pop()
  if (last === undefined) return (text) => text === first
  return (text) => {
    const end = text.length - last.length
    if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false
    let from = first.length
    for (const piece of rest) {
      const found = text.indexOf(piece, from)
      if (found < 0 || found + piece.length > end) return false
      from = found + piece.length
    }
    return true
  }
}

/** What stands between the stars. */
function piecesOf(pattern: string): readonly string[] | undefined {
  const pieces = ['']
  let wasStar = false
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? ''
    if (character === '*') {
      if (wasStar) return undefined
      pieces.push('')
      wasStar = true
      continue
    }
    wasStar = false
    const escaped = character === '\\' ? pattern[++at] : undefined
    if (character === '\\' && escaped !== '*' && escaped !== '\\') return undefined
    pieces.push(`${pieces.pop() ?? ''}${escaped ?? character}`)
  }
  return pieces
}
