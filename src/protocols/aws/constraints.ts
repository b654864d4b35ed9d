import { isRepositoryName, REPOSITORY_NAME_PATTERN } from '../../domain/names.ts'
import { isPublicRepositoryName, PUBLIC_REPOSITORY_NAME_PATTERN } from '../../domain/public-registry.ts'

/** Says whether a whole text satisfies a pattern. */
export type Matcher = (text: string) => boolean

/** Written here to match in linear time what a model's pattern can take exponentially long to refuse. */
const REWRITTEN: ReadonlyMap<string, Matcher> = new Map<string, Matcher>([
  [REPOSITORY_NAME_PATTERN, isRepositoryName],
  [PUBLIC_REPOSITORY_NAME_PATTERN, isPublicRepositoryName],
  ['^[a-z0-9*](?:[._\\-/a-z0-9*]?[a-z0-9*]+)*$', (text) => /^[a-z0-9*]+(?:[._\-/][a-z0-9*]+)*$/.test(text)],
])

/** The matcher for a pattern of a model, which always means the whole text. */
export function matcherFor(pattern: string): Matcher {
  const rewritten = REWRITTEN.get(pattern)
  if (rewritten !== undefined) return rewritten
  const whole = `^(?:${pattern})$`
  const expression = compiled(whole, 'u') ?? new RegExp(whole)
  return (text) => expression.test(text)
}

/** Some patterns escape what Unicode mode does not let them escape. */
function compiled(source: string, flags: string): RegExp | undefined {
  try {
    return new RegExp(source, flags)
  } catch {
    return undefined
  }
}

/** Length as AWS counts it: Unicode characters, not UTF-16 units. */
export function isLongerThan(text: string, max: number): boolean {
  if (text.length <= max) return false
  return text.length > 2 * max || characterCount(text) > max
}

/** The counterpart of `isLongerThan`. */
export function isShorterThan(text: string, min: number): boolean {
  if (text.length < min) return true
  return text.length < 2 * min && characterCount(text) < min
}

function characterCount(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}
