import type { Digest } from '../digest.ts'
import type { ImageStatus } from '../image.ts'
import type { Tag } from '../names.ts'
import type { LifecycleAction, LifecycleRule, LifecycleStorageClass } from './rule.ts'
import { type TagList, TagSearch, tagTest } from './tag-search.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** An image as the evaluation sees it: a light record, since there may be very many. Moments are epoch milliseconds. */
export interface LifecycleImage {
  /** Counts up in the order of first pushes: of two images pushed in one moment, the higher is the newer. */
  readonly id: number
  readonly digest: Digest
  readonly tags: readonly Tag[]
  readonly status: ImageStatus
  readonly pushedAtMs: number
  readonly pulledAtMs?: number | undefined
  readonly archivedAtMs?: number | undefined
  /** When it was last restored from the archive. */
  readonly activatedAtMs?: number | undefined
  /** The image this one refers to, whether or not that one is there. */
  readonly subject?: Digest | undefined
}

/** What is to happen to one image, and the rule that says so. */
export interface LifecycleDecision {
  readonly image: LifecycleImage
  readonly action: LifecycleAction
  readonly rule: LifecycleRule
}

/**
 * Decides what a policy does to a repository that holds `images`, oldest image first. Every rule is seen by itself over all
 * images of its storage class; then, by ascending priority, each acts on what no earlier rule matches, whether or not that
 * rule acts on it.
 */
export function evaluate(
  rules: readonly LifecycleRule[],
  images: readonly LifecycleImage[],
  now: Date,
): readonly LifecycleDecision[] {
  const steps = evaluateInSteps(rules, images, now)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** The same in steps of some milliseconds, between which whoever drives it may do something else. */
export function* evaluateInSteps(
  rules: readonly LifecycleRule[],
  images: readonly LifecycleImage[],
  now: Date,
): Generator<void, readonly LifecycleDecision[]> {
  const newestFirst = sortNewestFirst(images)
  yield
  const matches = yield* Matches.among(newestFirst)
  const ruleOf = new Array<LifecycleRule | undefined>(newestFirst.length)
  const isShielded = new Uint8Array(newestFirst.length)
  for (const rule of [...rules].sort((a, b) => a.priority - b.priority)) {
    const isMatch = yield* matches.of(rule)
    const isHit = limitOf(rule, now)
    for (let at = 0; at < newestFirst.length; at++) {
      if (isMatch[at] === 0) continue
      const image = newestFirst[at] as LifecycleImage
      // Asked for every match, shielded or not: a count goes over all of them.
      const isOverLimit = isHit(image)
      if (isOverLimit && isShielded[at] === 0) ruleOf[at] = rule
      isShielded[at] = 1
    }
    yield
  }
  const decisions: LifecycleDecision[] = []
  for (let at = newestFirst.length - 1; at >= 0; at--) {
    const rule = ruleOf[at]
    if (rule !== undefined) decisions.push({ image: newestFirst[at] as LifecycleImage, action: rule.action, rule })
  }
  return decisions
}

/** Where rules look for the image; one that is on its way out of the archive is out of their reach. */
export function storageClassOf({ status }: LifecycleImage): LifecycleStorageClass | undefined {
  switch (status) {
    case 'ACTIVE':
      return 'standard'
    case 'ARCHIVED':
      return 'archive'
    case 'ACTIVATING':
      return undefined
  }
}

/** When the image counts as pushed: a restored one when it came back. */
export function effectivePushMs({ pushedAtMs, activatedAtMs }: LifecycleImage): number {
  return activatedAtMs ?? pushedAtMs
}

/** When the image counts as pulled: one that nobody pulled (since it was restored) when it came. */
export function effectivePullMs({ pushedAtMs, pulledAtMs, activatedAtMs }: LifecycleImage): number {
  return Math.max(pulledAtMs ?? pushedAtMs, activatedAtMs ?? Number.NEGATIVE_INFINITY)
}

/** A test for the matches of a rule, to be asked once for each of them, newest first: is it one to act on? */
function limitOf({ limit }: LifecycleRule, now: Date): (image: LifecycleImage) => boolean {
  if (limit.countType === 'imageCountMoreThan') {
    let seen = 0
    return () => ++seen > limit.keptImages
  }
  const beforeMs = now.getTime() - limit.ageDays * DAY_MS
  switch (limit.countType) {
    case 'sinceImagePushed':
      return (image) => effectivePushMs(image) < beforeMs
    case 'sinceImagePulled':
      return (image) => effectivePullMs(image) < beforeMs
    case 'sinceImageTransitioned':
      return ({ archivedAtMs }) => archivedAtMs !== undefined && archivedAtMs < beforeMs
  }
}

function sortNewestFirst(images: readonly LifecycleImage[]): readonly LifecycleImage[] {
  return [...images].sort((a, b) => effectivePushMs(b) - effectivePushMs(a) || b.id - a.id)
}

/** One byte for each image, 1 for those that are meant. */
type Marks = Uint8Array

/** With fewer images left than one in so many, their tags are asked one by one. */
const FEW = 16

/** Finds the images that a rule matches. */
class Matches {
  readonly #images: readonly LifecycleImage[]
  readonly #tags: TagSearch
  /** At the place of each tag the image that carries it. */
  readonly #owners: Uint32Array
  readonly #ofClass: Readonly<Record<LifecycleStorageClass, Marks>>
  /** Untagged, and no referrer of an image that is there: such a one goes with its subject. */
  readonly #isLeftAlone: Marks

  /** Prepares the search among these images, in steps. */
  static *among(images: readonly LifecycleImage[]): Generator<void, Matches> {
    const digests = new Set(images.map(({ digest }) => digest))
    yield
    const tags = images.flatMap((image) => image.tags)
    yield
    const search = new TagSearch(tags)
    yield
    return new Matches(images, digests, search, tags.length)
  }

  private constructor(
    images: readonly LifecycleImage[],
    digests: ReadonlySet<Digest>,
    search: TagSearch,
    tagCount: number,
  ) {
    this.#images = images
    this.#tags = search
    this.#owners = new Uint32Array(tagCount)
    this.#ofClass = { standard: this.#noMarks(), archive: this.#noMarks() }
    this.#isLeftAlone = this.#noMarks()
    let tagAt = 0
    for (let at = 0; at < images.length; at++) {
      const image = images[at] as LifecycleImage
      const storageClass = storageClassOf(image)
      if (storageClass !== undefined) this.#ofClass[storageClass][at] = 1
      const { tags, subject } = image
      if (tags.length === 0 && (subject === undefined || !digests.has(subject))) this.#isLeftAlone[at] = 1
      for (let n = 0; n < tags.length; n++) this.#owners[tagAt++] = at
    }
  }

  *of({ storageClass, tags }: LifecycleRule): Generator<void, Marks> {
    let marks = this.#ofClass[storageClass]
    if (tags.tagStatus === 'any') return marks
    if (tags.tagStatus === 'untagged')
      return marks.map((isOfClass, at) => isOfClass & (this.#isLeftAlone[at] as number))
    for (const entry of tags.entries) {
      marks = this.#meeting(tags.list, entry, marks)
      yield
    }
    return marks
  }

  /** Those among the marked of which some tag meets the entry. */
  #meeting(list: TagList, entry: string, marked: Marks): Marks {
    const meeting = this.#noMarks()
    if (countMarks(marked) * FEW < this.#images.length) {
      const isMet = tagTest(list, entry)
      for (let at = 0; at < marked.length; at++)
        if (marked[at] === 1 && this.#images[at]?.tags.some(isMet)) meeting[at] = 1
      return meeting
    }
    this.#tags.find(list, entry, (at) => {
      const owner = this.#owners[at] as number
      meeting[owner] = marked[owner] as number
    })
    return meeting
  }

  #noMarks(): Marks {
    return new Uint8Array(this.#images.length)
  }
}

function countMarks(marks: Marks): number {
  let count = 0
  for (let at = 0; at < marks.length; at++) count += marks[at] as number
  return count
}
