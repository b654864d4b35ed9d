import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compareApk } from '../../src/domain/versions/apk.ts'
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

const VECTORS = join(import.meta.dir, '../data/version-vectors')

type Compare = (a: string, b: string) => number

const ORDERS: readonly (readonly [name: string, compare: Compare, vectorsMin: number])[] = [
  ['alpine', compareApk, 14_757],
  ['debian', compareDpkg, 14_472],
  ['redhat', compareRpm, 165],
  ['semver', compareSemver, 86],
  ['semver', compareGo, 86],
  ['nuget', compareNuget, 35],
  ['pypi', comparePep440, 12_412],
  ['rubygems', compareRubygems, 4_123],
  ['packagist', comparePackagist, 10_725],
  ['maven', compareMaven, 14_854],
  ['pub', comparePub, 100],
  ['hackage', compareHackage, 11],
]

const SIGNS = { '<': -1, '=': 0, '>': 1 } as const

interface Vector {
  readonly line: string
  readonly a: string
  readonly b: string
  readonly sign: number
}

function vectorsOf(name: string): readonly Vector[] {
  const files = readdirSync(VECTORS).filter((file) => file.startsWith(`${name}-versions`))
  return files.flatMap((file) => {
    const text = new TextDecoder().decode(Bun.gunzipSync(readFileSync(join(VECTORS, file))))
    return text.split('\n').flatMap((line): Vector[] => {
      if (line.trim() === '' || /^(#|\/\/) /.test(line)) return []
      const [, a, sign, b] = /^(\S+) ([<=>]) (\S+)$/.exec(line.trim()) ?? []
      if (a === undefined || b === undefined) throw new Error(`No vector: ${line}`)
      return [{ line, a, b, sign: SIGNS[sign as keyof typeof SIGNS] }]
    })
  })
}

for (const [name, compare, vectorsMin] of ORDERS) {
  test(`${compare.name} puts every vector of ${name} in order, both ways round`, () => {
    const vectors = vectorsOf(name)
    const wrong = vectors.filter(
      ({ a, b, sign }) => Math.sign(compare(a, b)) !== sign || Math.sign(compare(b, a)) + sign !== 0,
    )
    expect(wrong.map(({ line }) => line)).toEqual([])
    expect(vectors.length).toBeGreaterThanOrEqual(vectorsMin)
  })
}

test('Go knows its own releases', () => {
  expect(compareGo('go1.21rc2', 'go1.21.0')).toBeLessThan(0)
  expect(compareGo('go1.21rc2', '1.21.0-rc.3')).toBeLessThan(0)
  expect(compareGo('v1.2.3+incompatible', '1.2.3')).toBe(0)
  expect(compareGo('v0.0.0-20210101000000-abcdefabcdef', 'v0.0.0-20220101000000-abcdefabcdef')).toBeLessThan(0)
})
