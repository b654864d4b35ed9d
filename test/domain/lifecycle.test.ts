import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { evaluate, evaluateInSteps, type LifecycleImage } from '../../src/domain/lifecycle/evaluate.ts'
import type { LifecycleRule } from '../../src/domain/lifecycle/rule.ts'
import { parseTag } from '../../src/domain/names.ts'
import {
  any,
  DAY_MS,
  daysAgo,
  digestNamed,
  keep,
  NOW,
  olderThan,
  patterns,
  prefixes,
  Shelf,
  untagged,
} from './lifecycle-records.ts'
import { evaluateObviously } from './obvious-evaluation.ts'

describe('tag matching', () => {
  const shelf = new Shelf()
    .push('A', { tags: ['prod-1'] })
    .push('B', { tags: ['beta-2', 'prod-2'] })
    .push('C', { tags: ['latest'] })
    .push('D')
  const matchedBy = (tags: LifecycleRule['tags']) => shelf.under(olderThan(1, tags)).map((line) => line.slice(0, 1))

  test('tagPrefixList: prefix match', () => {
    expect(matchedBy(prefixes('prod'))).toEqual(['A', 'B'])
    expect(matchedBy(prefixes('rod'))).toEqual([])
    expect(matchedBy(prefixes('*'))).toEqual([])
  })

  test('tagPatternList: * is any run of characters, and the whole tag must match', () => {
    expect(matchedBy(patterns('prod*'))).toEqual(['A', 'B'])
    expect(matchedBy(patterns('*d-1'))).toEqual(['A'])
    expect(matchedBy(patterns('*rod'))).toEqual([])
    expect(matchedBy(patterns('*a*e*t*'))).toEqual(['C'])
    expect(matchedBy(patterns('*'))).toEqual(['A', 'B', 'C'])
  })

  test('a pattern without * is an exact tag', () => {
    expect(matchedBy(patterns('latest'))).toEqual(['C'])
    expect(matchedBy(patterns('late'))).toEqual([])
  })

  test('an image matches when every list entry is matched by some tag of the image, also by different tags', () => {
    expect(matchedBy(prefixes('beta', 'prod'))).toEqual(['B'])
    expect(matchedBy(patterns('*-2', 'prod*'))).toEqual(['B'])
    expect(matchedBy(patterns('b*', 'p*', 'x*'))).toEqual([])
  })

  test('untagged: no tags at all', () => expect(matchedBy(untagged)).toEqual(['D']))
  test('any: all images', () => expect(matchedBy(any)).toEqual(['A', 'B', 'C', 'D']))
})

describe('storage classes', () => {
  const archived = { status: 'ARCHIVED', archivedAtMs: daysAgo(200) } as const
  const shelf = new Shelf()
    .push('A', archived)
    .push('B')
    .push('C', { status: 'ACTIVATING', archivedAtMs: daysAgo(200) })

  test('standard is the active images', () => expect(shelf.under(olderThan(1, any))).toEqual(['B: expire by 1']))

  test('archive is the archived images', () => {
    const rule = olderThan(90, any, { storageClass: 'archive', countType: 'sinceImageTransitioned' })
    expect(shelf.under(rule)).toEqual(['A: expire by 1'])
  })

  test('images that are being restored are skipped', () => {
    const rule = olderThan(90, any, { storageClass: 'archive', countType: 'sinceImageTransitioned', priority: 2 })
    expect(shelf.under(olderThan(1, any), rule).join()).not.toContain('C')
  })

  test('a rule shields nothing of another class', () => {
    const rule = olderThan(90, any, { storageClass: 'archive', countType: 'sinceImageTransitioned', priority: 9 })
    expect(shelf.under(keep(5, any), rule)).toEqual(['A: expire by 9'])
  })

  test('counts go over one class', () => {
    expect(shelf.under(keep(1, any))).toEqual([])
  })
})

describe('what a rule hits', () => {
  test('imageCountMoreThan: everything after the first n, newest first', () => {
    const shelf = new Shelf().push('A').push('B').push('C')
    expect(shelf.under(keep(1, any))).toEqual(['A: expire by 1', 'B: expire by 1'])
    expect(shelf.under(keep(3, any))).toEqual([])
  })

  test('imageCountMoreThan: of two images pushed in one moment, the one recorded later is the newer', () => {
    const shelf = new Shelf().push('A', { pushedAtMs: 5 }).push('B', { pushedAtMs: 5 })
    expect(shelf.under(keep(1, any))).toEqual(['A: expire by 1'])
  })

  test('sinceImagePushed: older than now less n days, and not just as old', () => {
    const shelf = new Shelf().push('A', { pushedAtMs: daysAgo(10) - 1 }).push('B', { pushedAtMs: daysAgo(10) })
    expect(shelf.under(olderThan(10, any))).toEqual(['A: expire by 1'])
  })

  const pulled = (n: number) => olderThan(n, any, { countType: 'sinceImagePulled', action: 'transition' })

  test('sinceImagePulled: the last pull is older than now less n days', () => {
    const shelf = new Shelf().push('A', { pulledAtMs: daysAgo(10) - 1 }).push('B', { pulledAtMs: daysAgo(10) })
    expect(shelf.under(pulled(10))).toEqual(['A: transition by 1'])
  })

  test('sinceImagePulled: an image that was never pulled counts from its push', () => {
    const shelf = new Shelf().push('A', { pushedAtMs: daysAgo(11) }).push('B', { pushedAtMs: daysAgo(9) })
    expect(shelf.under(pulled(10))).toEqual(['A: transition by 1'])
  })

  test('sinceImagePulled: one restored and not pulled since counts from its restoration', () => {
    const restored = { pushedAtMs: daysAgo(90), archivedAtMs: daysAgo(50) }
    const shelf = new Shelf()
      .push('A', { ...restored, pulledAtMs: daysAgo(80), activatedAtMs: daysAgo(9) })
      .push('B', { ...restored, activatedAtMs: daysAgo(9) })
      .push('C', { ...restored, activatedAtMs: daysAgo(30), pulledAtMs: daysAgo(9) })
      .push('D', { ...restored, activatedAtMs: daysAgo(30), pulledAtMs: daysAgo(29) })
    expect(shelf.under(pulled(10))).toEqual(['D: transition by 1'])
  })

  test('sinceImageTransitioned: archived longer ago than n days', () => {
    const shelf = new Shelf()
      .push('A', { status: 'ARCHIVED', archivedAtMs: daysAgo(90) - 1 })
      .push('B', { status: 'ARCHIVED', archivedAtMs: daysAgo(90) })
    const rule = olderThan(90, any, { storageClass: 'archive', countType: 'sinceImageTransitioned' })
    expect(shelf.under(rule)).toEqual(['A: expire by 1'])
  })

  test('the effective push time is that of the last restoration', () => {
    const shelf = new Shelf()
      .push('A', { pushedAtMs: daysAgo(90), archivedAtMs: daysAgo(50), activatedAtMs: daysAgo(1) })
      .push('B', { pushedAtMs: daysAgo(5) })
    expect(shelf.under(keep(1, any))).toEqual(['B: expire by 1'])
    expect(shelf.under(olderThan(3, any))).toEqual(['B: expire by 1'])
  })
})

describe('which rule acts', () => {
  test('rules are walked by ascending rulePriority, whatever their order in the text', () => {
    const shelf = new Shelf().push('A', { tags: ['v1'] })
    const rules = [olderThan(1, any, { priority: 9 }), olderThan(1, prefixes('v'), { priority: 3 })]
    expect(shelf.under(...rules)).toEqual(['A: expire by 3'])
    expect(shelf.under(...rules.reverse())).toEqual(['A: expire by 3'])
  })

  test('an image matched by a higher rule is shielded even if that rule leaves it alone', () => {
    const shelf = new Shelf().push('A', { tags: ['v1'] }).push('B')
    expect(shelf.under(keep(1, prefixes('v')), olderThan(1, any, { priority: 2 }))).toEqual(['B: expire by 2'])
  })

  test('an image is acted on by at most one rule', () => {
    const shelf = new Shelf().push('A', { tags: ['a', 'b'] })
    const rules = [olderThan(1, prefixes('a')), olderThan(1, prefixes('b'), { priority: 2 })]
    expect(shelf.under(...rules)).toEqual(['A: expire by 1'])
  })

  test('counting is not adjusted for what other rules delete', () => {
    const shelf = new Shelf()
      .push('A', { tags: ['b-1'] })
      .push('B', { tags: ['a-1', 'b-2'] })
      .push('C', { tags: ['a-2', 'b-3'] })
    // B is counted by rule 2 although rule 1 expires it, so rule 2 reaches A
    const rules = [keep(1, prefixes('a')), keep(2, prefixes('b'), { priority: 2 })]
    expect(shelf.under(...rules)).toEqual(['A: expire by 2', 'B: expire by 1'])
  })

  test('counting is not adjusted for what higher rules shield', () => {
    const shelf = new Shelf().push('A').push('B', { tags: ['a-1'] })
    expect(shelf.under(keep(1, prefixes('a')), keep(1, any, { priority: 2 }))).toEqual(['A: expire by 2'])
  })

  test('oldest first', () => {
    const shelf = new Shelf().push('A', { pushedAtMs: 3 }).push('B', { pushedAtMs: 1 }).push('C', { pushedAtMs: 2 })
    expect(shelf.under(olderThan(1, any)).map((line) => line.slice(0, 1))).toEqual(['B', 'C', 'A'])
  })

  test('a policy without rules does nothing', () => expect(new Shelf().push('A').under()).toEqual([]))
})

describe('referrers', () => {
  const signed = new Shelf().push('A', { tags: ['v1'] }).push('sig', { subject: digestNamed('A') })

  test('are not picked by untagged rules while the subject lives', () => {
    expect(signed.under(olderThan(1, untagged))).toEqual([])
  })

  test('are not counted by them either', () => {
    const shelf = new Shelf()
      .push('X')
      .push('A', { tags: ['v1'] })
      .push('sig', { subject: digestNamed('A') })
    expect(shelf.under(keep(1, untagged))).toEqual([])
  })

  test('are picked when the subject is not there', () => {
    const shelf = new Shelf().push('sig', { subject: digestNamed('gone') })
    expect(shelf.under(olderThan(1, untagged))).toEqual(['sig: expire by 1'])
  })

  test('are images as all others to any and to tags', () => {
    expect(signed.under(olderThan(1, any))).toEqual(['A: expire by 1', 'sig: expire by 1'])
    const shelf = new Shelf().push('A', { tags: ['v1'] }).push('sig', { tags: ['s1'], subject: digestNamed('A') })
    expect(shelf.under(olderThan(1, prefixes('s')))).toEqual(['sig: expire by 1'])
  })
})

describe('the worked examples', () => {
  const first = new Shelf()
    .push('A', { tags: ['prod-1', 'beta-1'] })
    .push('B', { tags: ['prod-2', 'beta-2'] })
    .push('C', { tags: ['beta-3'] })

  test('prod keep 1, then beta keep 1: only A expires', () => {
    const rules = [keep(1, prefixes('prod')), keep(1, prefixes('beta'), { priority: 2 })]
    expect(first.under(...rules)).toEqual(['A: expire by 1'])
  })

  test('with priorities swapped: A and B expire', () => {
    const rules = [keep(1, prefixes('prod'), { priority: 2 }), keep(1, prefixes('beta'))]
    expect(first.under(...rules)).toEqual(['A: expire by 1', 'B: expire by 1'])
  })

  test('alpha keep 1, untagged keep 1, any keep 1: A by rule 1, D by rule 2, rule 3 can only take B', () => {
    const shelf = new Shelf()
      .push('A', { tags: ['alpha-1'] })
      .push('B', { tags: ['beta-1'] })
      .push('C', { tags: ['alpha-2'] })
      .push('D')
      .push('E')
    const rules = [keep(1, prefixes('alpha')), keep(1, untagged, { priority: 2 }), keep(1, any, { priority: 3 })]
    expect(shelf.under(...rules)).toEqual(['A: expire by 1', 'B: expire by 3', 'D: expire by 2'])
  })
})

describe('against a second, obvious evaluator', () => {
  const tag = fc.string({ unit: fc.constantFrom('a', 'b', '1'), minLength: 1, maxLength: 3 }).map(parseTag)
  const moment = fc.integer({ min: 0, max: 6 }).map((half) => NOW.getTime() - (half * DAY_MS) / 2)
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
  const digest = fc.integer({ min: 0, max: 42 }).map((n) => digestNamed(String(n)))
  const images = fc
    .array(
      fc.record({
        status: fc.constantFrom('ACTIVE', 'ACTIVE', 'ACTIVE', 'ARCHIVED', 'ACTIVATING'),
        tags: fc.uniqueArray(tag, { maxLength: 3 }),
        pushedAtMs: moment,
        pulledAtMs: maybe(moment),
        archivedAtMs: maybe(moment),
        activatedAtMs: maybe(moment),
        subject: maybe(digest),
      }),
      { maxLength: 40, size: 'max' },
    )
    .map((facts) =>
      facts.map((one, at): LifecycleImage => {
        // pulled, archived and restored after the push
        const after = (at: number | undefined) => (at === undefined ? undefined : Math.max(at, one.pushedAtMs))
        return {
          ...one,
          id: at + 1,
          digest: digestNamed(String(at)),
          pulledAtMs: after(one.pulledAtMs),
          archivedAtMs: after(one.archivedAtMs),
          activatedAtMs: after(one.activatedAtMs),
        }
      }),
    )
  const few = fc.integer({ min: 1, max: 3 })
  const entry = fc.string({ unit: fc.constantFrom('a', 'b', '1', '*'), minLength: 1, maxLength: 3 })
  const entries = fc.array(entry, { minLength: 1, maxLength: 2 })
  const rules = fc
    .array(
      fc.record({
        storageClass: fc.constantFrom('standard', 'standard', 'archive'),
        tags: fc.oneof(
          fc.constantFrom(any, untagged),
          entries.map((list) => prefixes(...list)),
          entries.map((list) => patterns(...list)),
        ),
        limit: fc.oneof(
          few.map((keptImages) => ({ countType: 'imageCountMoreThan', keptImages }) as const),
          fc.record({
            countType: fc.constantFrom('sinceImagePushed', 'sinceImagePulled', 'sinceImageTransitioned'),
            ageDays: few,
          }),
        ),
        action: fc.constantFrom('expire', 'transition'),
      }),
      { maxLength: 5 },
    )
    .chain((list) =>
      fc
        .shuffledSubarray([1, 2, 3, 4, 5], { minLength: list.length, maxLength: list.length })
        .map((order) => list.map((one, at): LifecycleRule => ({ ...one, priority: order[at] ?? 0 }))),
    )

  test('the decisions are the same, in the same order', () => {
    fc.assert(
      fc.property(rules, images, (policy, shelf) => {
        const decisions = evaluate(policy, shelf, NOW)
        const verdicts = decisions.map(({ image, action, rule }) => `${image.digest}: ${action} by ${rule.priority}`)
        expect(verdicts).toEqual([...evaluateObviously(policy, shelf, NOW)])
      }),
      { numRuns: 1500 },
    )
  })
})

test('a large evaluation gives way between its steps', () => {
  const shelf = Array.from({ length: 100 }, (_, n): LifecycleImage => {
    const tags = [parseTag(`v${n}`)]
    return { id: n + 1, digest: digestNamed(String(n)), status: 'ACTIVE', tags, pushedAtMs: daysAgo(n) }
  })
  const steps = evaluateInSteps([keep(1, prefixes('v', 'v1')), keep(1, any, { priority: 2 })], shelf, NOW)
  let count = 0
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done) {
      expect(step.value).toHaveLength(10 + 88)
      break
    }
    count++
  }
  expect(count).toBeGreaterThanOrEqual(5)
})
