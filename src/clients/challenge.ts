/** What a registry asks for in `WWW-Authenticate` (RFC 9110, 11.6.1). */
export interface Challenge {
  readonly scheme: 'basic' | 'bearer'
  readonly parameters: Readonly<Record<string, string>>
}

const PART = /\s*,?\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))/y
const SCHEME = /[\s,]*([A-Za-z][A-Za-z0-9-]*)(?=\s|,|$)(?!\s*=)/y

/** The challenges of a header, in order; schemes that nobody here speaks are left out. */
export function parseChallenges(header: string): readonly Challenge[] {
  const challenges: Challenge[] = []
  for (let at = 0; at < header.length; ) {
    SCHEME.lastIndex = at
    const scheme = SCHEME.exec(header)?.[1]?.toLowerCase()
    if (scheme === undefined) break
    at = SCHEME.lastIndex
    const parameters: Record<string, string> = {}
    for (;;) {
      PART.lastIndex = at
      const match = PART.exec(header)
      if (match === null) break
      const [, name = '', quoted, plain] = match
      parameters[name.toLowerCase()] = quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1')
      at = PART.lastIndex
    }
    if (scheme === 'basic' || scheme === 'bearer') challenges.push({ scheme, parameters })
  }
  return challenges
}
