import type { ResourceTag } from './repository.ts'
import { validationError } from './sts-errors.ts'

const TAGS_MAX = 50

/** What a request says of the tags of a session. */
export interface SessionTags {
  readonly tags: readonly ResourceTag[]
  /** The keys of those that further roles inherit. */
  readonly transitiveKeys: readonly string[]
}

/**
 * The tags of a session that begins in another: those that were handed on stay as they are and are handed on further.
 * Throws `invalid-parameter`.
 */
export function sessionTags(given: SessionTags, inherited: SessionTags): SessionTags {
  checkTags(given.tags)
  const handedOn = inherited.tags.filter(({ key }) => hasKey(inherited.transitiveKeys, key))
  const overridden = given.tags.find(({ key }) =>
    hasKey(
      handedOn.map((tag) => tag.key),
      key,
    ),
  )
  if (overridden !== undefined)
    throw validationError(
      `One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.`,
    )
  const missing = given.transitiveKeys.find(
    (key) =>
      !hasKey(
        given.tags.map((tag) => tag.key),
        key,
      ),
  )
  if (missing !== undefined)
    throw validationError('One of the specified transitive tag keys does not exist among the session tags.')
  const tags = [...given.tags, ...handedOn]
  if (tags.length > TAGS_MAX) throw validationError(`A session has at most ${TAGS_MAX} tags.`)
  return { tags, transitiveKeys: [...given.transitiveKeys, ...handedOn.map(({ key }) => key)] }
}

function checkTags(tags: readonly ResourceTag[]): void {
  const keys = tags.map(({ key }) => key.toLowerCase())
  if (keys.length > TAGS_MAX) throw validationError(`A session has at most ${TAGS_MAX} tags.`)
  if (new Set(keys).size !== keys.length)
    throw validationError('Duplicate tag keys found. Please note that Tag keys are case insensitive.')
  if (keys.some((key) => key.startsWith('aws:')))
    throw validationError("Tag keys starting with 'aws:' are reserved for system use.")
}

/** IAM does not tell cases of keys apart. */
function hasKey(keys: readonly string[], wanted: string): boolean {
  return keys.some((key) => key.toLowerCase() === wanted.toLowerCase())
}
