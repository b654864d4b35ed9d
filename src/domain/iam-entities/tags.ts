import type { ResourceTag } from '../repository.ts'
import { invalidInput, quotaExceeded } from './errors.ts'
import { IAM_QUOTAS } from './quotas.ts'

/** Tags that are given together: each key once, whatever its capitals, and none of AWS's own. Throws `input-invalid`. */
export function checkTags(tags: readonly ResourceTag[]): readonly ResourceTag[] {
  const keys = new Set<string>()
  for (const { key } of tags) {
    if (/^aws:/i.test(key)) throw invalidInput('Tag keys beginning with aws: are reserved for system use')
    const known = key.toLowerCase()
    if (keys.has(known)) throw invalidInput('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
    keys.add(known)
  }
  return tags
}

/** The tags of an entity once others were given: those of the same key are replaced. Throws as `checkTags`, and `quota-exceeded`. */
export function withTags(tags: readonly ResourceTag[], given: readonly ResourceTag[]): readonly ResourceTag[] {
  const replaced = new Set(checkTags(given).map(({ key }) => key.toLowerCase()))
  const result = [...tags.filter(({ key }) => !replaced.has(key.toLowerCase())), ...given]
  if (result.length > IAM_QUOTAS.tags) throw quotaExceeded('TagsPerResource', IAM_QUOTAS.tags)
  return result
}

/** Without the tags of these keys; unknown keys are fine. */
export function withoutTags(tags: readonly ResourceTag[], keys: readonly string[]): readonly ResourceTag[] {
  const removed = new Set(keys.map((key) => key.toLowerCase()))
  return tags.filter(({ key }) => !removed.has(key.toLowerCase()))
}
