import { invalidParameter, invalidTagParameter } from '../../domain/errors.ts'
import type { MutabilityMode, TagMutability } from '../../domain/mutability.ts'
import type { ResourceTag } from '../../domain/repository.ts'

export const RESOURCE_TAGS_MAX = 50

const EXCLUSION_FILTERS_MAX = 5
const EXCLUSION_FILTER = /^[0-9a-zA-Z._*-]{1,128}$/

/** Tag mutability as a caller gives it. */
export interface MutabilitySettings {
  readonly mode: MutabilityMode
  readonly exclusionFilters?: readonly string[] | undefined
}

/** Filters go with the modes WITH_EXCLUSION, and only with them. */
export function tagMutability({ mode, exclusionFilters = [] }: MutabilitySettings): TagMutability {
  const member = 'imageTagMutabilityExclusionFilters'
  const isExclusion = mode.endsWith('_WITH_EXCLUSION')
  if (isExclusion !== exclusionFilters.length > 0)
    throw invalidParameter(member, `Member must ${isExclusion ? '' : 'not '}be given with imageTagMutability ${mode}`)
  if (exclusionFilters.length > EXCLUSION_FILTERS_MAX)
    throw invalidParameter(member, `Member must have length less than or equal to ${EXCLUSION_FILTERS_MAX}`)
  for (const filter of exclusionFilters) {
    if (!EXCLUSION_FILTER.test(filter))
      throw invalidParameter(member, `must satisfy regular expression '${EXCLUSION_FILTER.source}'`)
    if (filter.split('*').length > 3) throw invalidParameter(member, 'A filter can contain at most 2 wildcards (*)')
  }
  return { mode, exclusionFilters }
}

/** Answers the tags themselves. Throws `invalid-tag-parameter`. */
export function checkResourceTags(tags: readonly ResourceTag[]): readonly ResourceTag[] {
  const mistake = resourceTagMistake(tags)
  if (mistake !== undefined) throw invalidTagParameter(mistake)
  return tags
}

/** What is wrong with the first bad one of some tags; `undefined` when they are good. */
export function resourceTagMistake(tags: readonly ResourceTag[]): string | undefined {
  const keys = new Set<string>()
  for (const { key, value } of tags) {
    if (key.length < 1 || key.length > 128) return 'A tag key must have 1 to 128 characters.'
    if (value.length > 256) return 'A tag value must have at most 256 characters.'
    if (isReservedKey(key)) return 'Tag keys that start with aws: are reserved.'
    if (keys.has(key)) return `Duplicate tag key '${key}'.`
    keys.add(key)
  }
  return undefined
}

/** AWS's own tags cannot be set or removed. */
export function isReservedKey(key: string): boolean {
  return key.toLowerCase().startsWith('aws:')
}
