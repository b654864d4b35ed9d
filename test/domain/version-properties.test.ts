import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { compareApk } from '../../src/domain/versions/apk.ts'
import { compareBitnami } from '../../src/domain/versions/bitnami.ts'
import { compareDpkg } from '../../src/domain/versions/dpkg.ts'
import { compareGo } from '../../src/domain/versions/go.ts'
import { compareHackage } from '../../src/domain/versions/hackage.ts'
import { compareMaven } from '../../src/domain/versions/maven.ts'
import { compareNuget } from '../../src/domain/versions/nuget.ts'
import { comparePackagist } from '../../src/domain/versions/packagist.ts'
import { comparePep440 } from '../../src/domain/versions/pep440.ts'
import { comparePub } from '../../src/domain/versions/pub.ts'
import { compareRpm } from '../../src/domain/versions/rpm.ts'
import { compareRubygems } from '../../src/domain/versions/rubygems.ts'
import { compareSemver } from '../../src/domain/versions/semver.ts'

type Compare = (a: string, b: string) => number

const number = fc.constantFrom('0', '00', '1', '01', '2', '9', '10', '010', '99999999999999999999')

/** Texts of pieces that mean something to an order, put together in ways that nobody would. */
const textOf = (...pieces: readonly string[]) =>
  fc.array(fc.oneof(number, fc.constantFrom(...pieces)), { maxLength: 7 }).map((parts) => parts.join(''))

const dotted = fc.array(number, { minLength: 1, maxLength: 4 }).map((numbers) => numbers.join('.'))
const identifiers = fc.array(fc.oneof(number, fc.constantFrom('alpha', 'rc', 'a1', 'Z')), {
  minLength: 1,
  maxLength: 3,
})
const maybe = (arbitrary: fc.Arbitrary<string>) => fc.oneof(fc.constant(''), arbitrary)
const joined = (...parts: readonly fc.Arbitrary<string>[]) => fc.tuple(...parts).map((texts) => texts.join(''))
const prefixed = (prefix: string, arbitrary: fc.Arbitrary<string>) => arbitrary.map((text) => prefix + text)

const semantic = joined(
  dotted,
  maybe(
    prefixed(
      '-',
      identifiers.map((all) => all.join('.')),
    ),
  ),
  maybe(
    prefixed(
      '+',
      identifiers.map((all) => all.join('.')),
    ),
  ),
)

const WORDS = ['.', '-', '_', '+', '~', '^', 'a', 'b', 'rc', 'Z', ':']

/** By name: the order, versions as its ecosystem writes them, and the pieces of texts that are none. */
const ORDERS: readonly (readonly [Compare, fc.Arbitrary<string>, readonly string[]])[] = [
  [
    compareApk,
    joined(
      dotted,
      maybe(fc.constantFrom('a', 'b', 'z')),
      maybe(joined(fc.constantFrom('_alpha', '_rc', '_git', '_p', '_p1_rc'), maybe(number))),
      maybe(fc.constantFrom('~ab12')),
      maybe(prefixed('-r', number)),
    ),
    [...WORDS, '_alpha', '_p', '-r'],
  ],
  [
    compareDpkg,
    joined(
      maybe(number.map((epoch) => `${epoch}:`)),
      dotted,
      maybe(fc.constantFrom('~rc1', '+dfsg', '~', 'a', '.orig+really2')),
      maybe(prefixed('-', joined(number, maybe(fc.constantFrom('ubuntu1', '~bpo11+1', '+deb12u1'))))),
    ),
    [...WORDS, '+dfsg'],
  ],
  [
    compareRpm,
    joined(
      maybe(number.map((epoch) => `${epoch}:`)),
      dotted,
      maybe(fc.constantFrom('~rc1', '^git1', '~~', '^', 'a', '.a.1')),
      maybe(prefixed('-', joined(number, maybe(fc.constantFrom('.el9', '.el9_2.1', '.module_el8+1'))))),
    ),
    WORDS,
  ],
  [compareSemver, semantic, [...WORDS, 'v']],
  [
    compareGo,
    fc.oneof(prefixed('v', semantic), joined(fc.constant('go'), dotted, maybe(fc.constantFrom('rc1', 'beta2')))),
    [...WORDS, 'v', 'go', 'rc'],
  ],
  [
    comparePep440,
    joined(
      maybe(number.map((epoch) => `${epoch}!`)),
      dotted,
      maybe(fc.constantFrom('a1', 'b2', 'rc', '.rc.1', 'c3', '-alpha')),
      maybe(fc.constantFrom('.post1', '-1', '.r2', 'post')),
      maybe(fc.constantFrom('.dev0', '-dev3', 'dev')),
      maybe(fc.constantFrom('+local', '+1.a', '+2', '+1-0')),
    ),
    [...WORDS, 'dev', 'post', '!', '*final', 'pre'],
  ],
  [
    compareMaven,
    joined(
      dotted,
      maybe(fc.constantFrom('-alpha', '.Final', '-rc-1', '-SNAPSHOT', '-sp', '-x', '-1', '-a1', '-jre', 'ga')),
    ),
    [...WORDS, 'alpha', 'snapshot', 'final', 'sp', 'm'],
  ],
  [
    compareRubygems,
    joined(dotted, maybe(fc.constantFrom('.a', '.rc1', '.pre.2', 'b', '-1', '.0.a.0'))),
    [...WORDS, 'pre'],
  ],
  [
    comparePackagist,
    joined(
      maybe(fc.constant('v')),
      dotted,
      maybe(fc.constantFrom('-dev', '-RC1', 'beta2', '-alpha', 'pl1', '-patch2')),
    ),
    [...WORDS, 'dev', 'RC', 'pl'],
  ],
  [compareNuget, semantic, WORDS],
  [comparePub, semantic, WORDS],
  [compareHackage, dotted, WORDS],
  [compareBitnami, joined(dotted, maybe(prefixed('-', number))), WORDS],
]

/**
 * Maven's own rules go round in a circle where unknown words stand behind dots and dashes: 10 < 10.x < 10-alpha < 10, by
 * the version order of the POM reference.
 */
const HAVE_CIRCLES: ReadonlySet<Compare> = new Set([compareMaven])

const sign = (value: number) => {
  if (Number.isNaN(value)) throw new Error('No order answers what is no number')
  return Math.sign(value)
}

for (const [compare, written, pieces] of ORDERS)
  describe(compare.name, () => {
    // PHP's mark for any number is as high as each of them, which no order can hold.
    const foreign = fc.string({ maxLength: 12 }).filter((text) => !text.includes('#'))
    const any = fc.oneof(written, written, textOf(...pieces), foreign)

    test('every version is as high as itself, and of two the other way round is the other way round', () => {
      fc.assert(
        fc.property(any, any, (a, b) => {
          expect(sign(compare(a, a))).toBe(0)
          expect(sign(compare(a, b)) + sign(compare(b, a))).toBe(0)
        }),
        { numRuns: 3_000 },
      )
    })

    const isTransitive = (a: string, b: string, c: string) => {
      const [ab, bc, ac] = [sign(compare(a, b)), sign(compare(b, c)), sign(compare(a, c))]
      if (ab <= 0 && bc <= 0) expect(ac).toBeLessThanOrEqual(0)
      if (ab >= 0 && bc >= 0) expect(ac).toBeGreaterThanOrEqual(0)
      if (ab === 0) expect(ac).toBe(bc)
    }

    test('versions as they are written have one order', () =>
      fc.assert(fc.property(written, written, written, isTransitive), { numRuns: 5_000 }))

    if (HAVE_CIRCLES.has(compare)) return
    test('and so has whatever else stands in their place', () =>
      fc.assert(fc.property(any, any, any, isTransitive), { numRuns: 5_000 }))
  })

test('the circle in the rules of Maven is theirs', () => {
  expect(sign(compareMaven('10', '10.x'))).toBe(-1)
  expect(sign(compareMaven('10.x', '10-alpha'))).toBe(-1)
  expect(sign(compareMaven('10-alpha', '10'))).toBe(-1)
})
