/** ECR's four modes. An exclusion turns the mode around for the tags that match it. */
export type MutabilityMode = 'MUTABLE' | 'IMMUTABLE' | 'MUTABLE_WITH_EXCLUSION' | 'IMMUTABLE_WITH_EXCLUSION'

/** A repository's rule about moving tags. */
export interface TagMutability {
  readonly mode: MutabilityMode
  /** Wildcard patterns over whole tags; empty unless the mode is one WITH_EXCLUSION. */
  readonly exclusionFilters: readonly string[]
}

export const MUTABLE: TagMutability = { mode: 'MUTABLE', exclusionFilters: [] }

/**
 * Whether a pattern matches the whole text, case-sensitively; `*` stands for any run of characters, also an empty one.
 * Linear in the length of both for the patterns ECR accepts (at most two `*`).
 */
export function matchesWildcard(pattern: string, text: string): boolean {
  const pieces = pattern.split('*')
  const first = pieces[0] ?? ''
  if (pieces.length === 1) return text === first
  const last = pieces[pieces.length - 1] ?? ''
  if (text.length < first.length + last.length || !text.startsWith(first) || !text.endsWith(last)) return false
  let from = first.length
  const end = text.length - last.length
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, from)
    if (found < 0 || found + piece.length > end) return false
    from = found + piece.length
  }
  return true
}

/** Whether a push may not move this tag once it is set. */
export function isTagImmutable({ mode, exclusionFilters }: TagMutability, tag: string): boolean {
  const isExcluded = () => exclusionFilters.some((filter) => matchesWildcard(filter, tag))
  switch (mode) {
    case 'MUTABLE':
      return false
    case 'IMMUTABLE':
      return true
    case 'MUTABLE_WITH_EXCLUSION':
      return isExcluded()
    case 'IMMUTABLE_WITH_EXCLUSION':
      return !isExcluded()
  }
}
