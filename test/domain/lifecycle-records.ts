import { createHash } from 'node:crypto'
import { type Digest, parseDigest } from '../../src/domain/digest.ts'
import { evaluate, type LifecycleImage } from '../../src/domain/lifecycle/evaluate.ts'
import type { LifecycleRule } from '../../src/domain/lifecycle/rule.ts'
import { parseTag } from '../../src/domain/names.ts'

export const DAY_MS = 86_400_000
export const NOW = new Date('2026-03-02T08:00:00.000Z')

export const digestNamed = (name: string): Digest =>
  parseDigest(`sha256:${createHash('sha256').update(name).digest('hex')}`)

export const daysAgo = (days: number): number => NOW.getTime() - days * DAY_MS

export type ImageFacts = Partial<Omit<LifecycleImage, 'tags'>> & { readonly tags?: readonly string[] }

/** Images by name, in the order in which they were pushed: the first is the oldest. */
export class Shelf {
  readonly #images: LifecycleImage[] = []
  readonly #names = new Map<Digest, string>()

  /** Pushes an image; unless said otherwise, one hour after the one before. */
  push(name: string, { tags = [], ...facts }: ImageFacts = {}): this {
    const digest = digestNamed(name)
    const id = this.#images.length + 1
    const pushedAtMs = daysAgo(100) + id * 3_600_000
    this.#images.push({ id, digest, status: 'ACTIVE', pushedAtMs, tags: tags.map(parseTag), ...facts })
    this.#names.set(digest, name)
    return this
  }

  /** What the rules do now: `name: action by priority`, in the order in which it is done. */
  under(...rules: readonly LifecycleRule[]): readonly string[] {
    return evaluate(rules, this.#images, NOW).map(
      ({ image, action, rule }) => `${this.#names.get(image.digest)}: ${action} by ${rule.priority}`,
    )
  }
}

type RuleFacts = Partial<LifecycleRule>

const base = { priority: 1, storageClass: 'standard', action: 'expire' } as const

export const prefixes = (...entries: readonly string[]) => ({ tagStatus: 'tagged', list: 'prefix', entries }) as const
export const patterns = (...entries: readonly string[]) => ({ tagStatus: 'tagged', list: 'pattern', entries }) as const
export const untagged = { tagStatus: 'untagged' } as const
export const any = { tagStatus: 'any' } as const

export function keep(keptImages: number, tags: LifecycleRule['tags'], facts: RuleFacts = {}): LifecycleRule {
  return { ...base, tags, limit: { countType: 'imageCountMoreThan', keptImages }, ...facts }
}

export function olderThan(
  ageDays: number,
  tags: LifecycleRule['tags'],
  facts: RuleFacts & {
    readonly countType?: 'sinceImagePushed' | 'sinceImagePulled' | 'sinceImageTransitioned'
  } = {},
): LifecycleRule {
  const { countType = 'sinceImagePushed', ...rest } = facts
  return { ...base, tags, limit: { countType, ageDays }, ...rest }
}
