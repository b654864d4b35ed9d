import type { LifecycleImage } from '../../src/domain/lifecycle/evaluate.ts'
import type { LifecycleRule } from '../../src/domain/lifecycle/rule.ts'

/** What is done to an image, as `digest: action by priority`. */
export type Verdict = string

/**
 * Evaluates a policy by asking, image by image and rule by rule, exactly what the specification says: slow, and written
 * without the evaluator that it is there to judge.
 */
export function evaluateObviously(
  rules: readonly LifecycleRule[],
  images: readonly LifecycleImage[],
  now: Date,
): readonly Verdict[] {
  const acted = images.flatMap((image) => {
    const rule = rules.find(
      (one) =>
        hits(one, images, now).includes(image) &&
        !rules.some((higher) => higher.priority < one.priority && matches(higher, image, images)),
    )
    return rule === undefined ? [] : [{ image, verdict: `${image.digest}: ${rule.action} by ${rule.priority}` }]
  })
  return acted.sort((a, b) => (isNewer(a.image, b.image) ? 1 : -1)).map(({ verdict }) => verdict)
}

function matches(rule: LifecycleRule, image: LifecycleImage, all: readonly LifecycleImage[]): boolean {
  const classes = { ACTIVE: 'standard', ARCHIVED: 'archive', ACTIVATING: 'neither' }
  if (classes[image.status] !== rule.storageClass) return false
  const { tags } = rule
  if (tags.tagStatus === 'any') return true
  if (tags.tagStatus === 'untagged')
    return image.tags.length === 0 && !all.some(({ digest }) => digest === image.subject)
  return tags.entries.every((entry) =>
    image.tags.some((tag) => (tags.list === 'prefix' ? tag.indexOf(entry) === 0 : isLike(tag, entry))),
  )
}

/** By the definition of `*`, one character at a time. */
function isLike(text: string, pattern: string): boolean {
  if (pattern === '') return text === ''
  if (pattern.startsWith('*')) return isLike(text, pattern.slice(1)) || (text !== '' && isLike(text.slice(1), pattern))
  return text !== '' && text.at(0) === pattern.at(0) && isLike(text.slice(1), pattern.slice(1))
}

function hits(rule: LifecycleRule, all: readonly LifecycleImage[], now: Date): readonly LifecycleImage[] {
  const matched = all.filter((image) => matches(rule, image, all))
  const { limit } = rule
  if (limit.countType === 'imageCountMoreThan')
    return matched.filter((image) => matched.filter((other) => isNewer(other, image)).length >= limit.keptImages)
  const isOld = (at: number) => now.getTime() - at > limit.ageDays * 86_400_000
  return matched.filter((image) => {
    if (limit.countType === 'sinceImagePushed') return isOld(pushedAt(image))
    if (limit.countType === 'sinceImagePulled') return isOld(pulledAt(image))
    return image.archivedAtMs !== undefined && isOld(image.archivedAtMs)
  })
}

function isNewer(a: LifecycleImage, b: LifecycleImage): boolean {
  return pushedAt(a) > pushedAt(b) || (pushedAt(a) === pushedAt(b) && a.id > b.id)
}

function pushedAt(image: LifecycleImage): number {
  return image.activatedAtMs === undefined ? image.pushedAtMs : image.activatedAtMs
}

function pulledAt({ pulledAtMs, pushedAtMs, activatedAtMs }: LifecycleImage): number {
  if (activatedAtMs !== undefined && (pulledAtMs === undefined || pulledAtMs < activatedAtMs)) return activatedAtMs
  return pulledAtMs ?? pushedAtMs
}
