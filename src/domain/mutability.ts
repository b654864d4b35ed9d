import { wildcard } from './wildcard.ts'

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
  return wildcard(pattern)(text)
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
