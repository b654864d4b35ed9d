import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { parseDigest } from '../digest.ts'
import type { FoundPackage } from '../inventory/package.ts'
import type { AdvisoryFacts } from './advisory.ts'
import { findingsOf } from './findings.ts'
import type { Hit } from './match.ts'

const found: FoundPackage = {
  type: 'npm',
  name: 'qs',
  version: '1.0.0',
  layerDigest: parseDigest(`sha256:${'0'.repeat(64)}`),
  licences: [],
  purl: 'pkg:npm/qs@1.0.0',
}

interface Stated {
  readonly id: string
  readonly aliases: readonly string[]
}

function idsOfFindings(stated: readonly Stated[]): readonly string[] {
  const facts = (id: string): AdvisoryFacts => ({
    id,
    modifiedAt: new Date(0),
    aliases: stated.filter((one) => one.id === id).flatMap(({ aliases }) => aliases),
    upstream: [],
    related: [],
    summary: id,
    details: '',
    severity: [],
    references: [],
  })
  const hits = stated.map(
    ({ id }): Hit => ({
      package: found,
      lookup: { ecosystem: 'npm', name: 'qs', version: '1.0.0' },
      advisoryId: id,
      affected: [],
      fixedVersions: [],
    }),
  )
  const knowledge = { advisory: facts, vectors: () => [], knownExploited: () => undefined }
  return findingsOf(hits, knowledge).map(({ id, aliases }) => [id, ...aliases].toSorted().join(' '))
}

/** The same by trying again until nothing changes any more. */
function components(stated: readonly Stated[]): readonly string[] {
  let sets = stated.map(({ id, aliases }) => new Set([id, ...aliases]))
  for (let before = -1; before !== sets.length; ) {
    before = sets.length
    sets = sets.reduce<Set<string>[]>((kept, next) => {
      const same = kept.filter((one) => [...next].some((id) => one.has(id)))
      return [...kept.filter((one) => !same.includes(one)), new Set([...next, ...same.flatMap((one) => [...one])])]
    }, [])
  }
  return sets.map((ids) => [...ids].toSorted().join(' '))
}

test('records are of one flaw when an id, of one or of others between them, joins them, in whatever order they come', () => {
  const alias = fc.integer({ min: 1, max: 9 }).map((n) => `CVE-2026-${n}`)
  const records = fc.uniqueArray(
    fc.record({
      id: fc.integer({ min: 1, max: 20 }).map((n) => `GHSA-${n}`),
      aliases: fc.uniqueArray(alias, { maxLength: 3 }),
    }),
    { selector: ({ id }) => id, maxLength: 10 },
  )
  fc.assert(
    fc.property(records, (stated) => {
      const expected = components(stated).toSorted()
      expect(idsOfFindings(stated).toSorted()).toEqual(expected)
      expect(idsOfFindings(stated.toReversed()).toSorted()).toEqual(expected)
    }),
    { numRuns: 500 },
  )
})
