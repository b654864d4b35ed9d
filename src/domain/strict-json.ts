/** How deep a document may nest. Real manifests stay below ten. */
const DEPTH_MAX = 64
/**
 * How many objects and keys a document may have in all. A manifest with a thousand layers has five thousand; without a
 * bound, 4 MiB of keys would keep everybody else waiting while they are compared.
 */
const MEMBERS_MAX = 100_000

interface Level {
  /** The keys seen so far, for an object; `undefined` for an array. */
  readonly keys: Set<string> | undefined
  isKeyNext: boolean
}

/**
 * Parses JSON that several readers must understand alike: nesting and members are bounded and no object names a key twice
 * (readers disagree on which one counts). Throws a SyntaxError that says what is wrong. Linear in the length of the text.
 */
export function parseStrictJson(text: string): unknown {
  checkStructure(text)
  return JSON.parse(text)
}

function checkStructure(text: string): void {
  const levels: Level[] = []
  let members = 0
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: {
        const end = endOfString(text, at)
        if (noteKey(levels.at(-1), text, at, end)) members++
        at = end
        break
      }
      case 0x7b: // {
        levels.push({ keys: new Set(), isKeyNext: true })
        members++
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
    if (members > MEMBERS_MAX) throw new SyntaxError(`more than ${MEMBERS_MAX} members`)
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

/** Whether the string was a key. */
function noteKey(level: Level | undefined, text: string, start: number, end: number): boolean {
  if (level?.keys === undefined || !level.isKeyNext) return false
  const key = unescaped(text, start, end)
  if (level.keys.has(key)) throw new SyntaxError(`duplicate key "${key.slice(0, 64)}"`)
  level.keys.add(key)
  level.isKeyNext = false
  return true
}

/** A JSON string's value; most have nothing to unescape, and parsing costs ten times as much. */
function unescaped(text: string, start: number, end: number): string {
  const raw = text.slice(start + 1, end)
  return raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw
}
