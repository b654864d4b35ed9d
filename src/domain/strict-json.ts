/** How deep a document may nest. Real manifests stay below ten. */
const DEPTH_MAX = 64

interface Level {
  /** The keys seen so far, for an object; `undefined` for an array. */
  readonly keys: Set<string> | undefined
  isKeyNext: boolean
}

/**
 * Parses JSON that several readers must understand alike: nesting is bounded and no object names a key twice (readers
 * disagree on which one counts). Throws a SyntaxError that says what is wrong. Linear in the length of the text.
 */
export function parseStrictJson(text: string): unknown {
  checkStructure(text)
  return JSON.parse(text)
}

function checkStructure(text: string): void {
  const levels: Level[] = []
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at)
        noteKey(levels.at(-1), text, at, end)
        at = end
        break
      }
      case 0x7b: // {
        levels.push({ keys: new Set(), isKeyNext: true })
        break
      case 0x5b: // [
        levels.push({ keys: undefined, isKeyNext: false })
        break
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop()
        break
      case 0x2c: {
        const level = levels.at(-1)
        if (level?.keys !== undefined) level.isKeyNext = true
        break
      }
    }
    if (levels.length > DEPTH_MAX) throw new SyntaxError(`nested deeper than ${DEPTH_MAX} levels`)
  }
}

/** The index of the closing quote. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x5c) at++
    else if (code === 0x22) return at
  }
  throw new SyntaxError('unterminated string')
}

function noteKey(level: Level | undefined, text: string, start: number, end: number): void {
  if (level?.keys === undefined || !level.isKeyNext) return
  const key = unescaped(text, start, end)
  if (level.keys.has(key)) throw new SyntaxError(`duplicate key "${key.slice(0, 64)}"`)
  level.keys.add(key)
  level.isKeyNext = false
}

/** A JSON string's value; most have nothing to unescape, and parsing costs ten times as much. */
function unescaped(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end)
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
}
