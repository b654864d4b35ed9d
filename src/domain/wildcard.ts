/**
 * Prepares a wildcard pattern for many texts: `*` stands for any run of characters, also an empty one; the whole text must
 * match, case-sensitively. A match takes one walk along the text.
 */
export function wildcard(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return (text) => text === first
  const lengthMin = first.length + last.length
  if (rest.length === 0) return (text) => text.length >= lengthMin && text.startsWith(first) && text.endsWith(last)
  return (text) => {
    if (text.length < lengthMin || !text.startsWith(first) || !text.endsWith(last)) return false
    const end = text.length - last.length
    let from = first.length
    for (const piece of rest) {
      const found = text.indexOf(piece, from)
      if (found < 0 || found + piece.length > end) return false
      from = found + piece.length
    }
    return true
  }
}
