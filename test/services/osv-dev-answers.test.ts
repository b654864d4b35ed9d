import { afterAll, beforeAll, expect, test } from 'bun:test'
import { canonicalEcosystem, canonicalName } from '../../src/domain/advisories/ecosystems.ts'
import { isAffected } from '../../src/domain/advisories/ranges.ts'
import type { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { realAdvisories, unpackedText } from '../support/advisory-data.ts'

const NOW = new Date('2026-11-21T00:00:00Z')
let advisories: SqliteAdvisoryStore

beforeAll(async () => {
  advisories = await realAdvisories(NOW)
}, 60_000)

afterAll(async () => {
  await advisories.close()
})

interface OsvAnswer {
  readonly ecosystem: string
  readonly name: string
  readonly version: string
  readonly ids: readonly string[]
}

/** Why an id of an answer, or of ours, says nothing about the other. */
const NOT_COMPARABLE = new Map([
  ['PYSEC-2021-108', 'The record changed after the snapshot of 2024 that is here.'],
  ['x_NSWG-ECO-461', "One of Node's own advisories, which osv.dev has not."],
  ['GHSA-crjg-w57m-rqqf', 'Of 2024-07-22; dnsjava was asked for before.'],
  ['GHSA-mmwx-rj87-vfgr', 'Of 2024-07-22; dnsjava was asked for before.'],
  ['GHSA-g9g8-vgvw-g3vf', 'Of 2026-06-19; nokogiri was asked for before.'],
])

test('osv.dev answers the same, as far as the advisories are the same', async () => {
  const answers = unpackedText('scan-oracles/osv-dev-answers.jsonl.gz')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as OsvAnswer)
  const askedUntil = new Date('2026-08-04T23:59:59Z')

  const { wrong, compared, idCount } = await advisories.use((set) => {
    if (set === undefined) throw new Error('There are advisories')
    const wrong: object[] = []
    let [compared, idCount] = [0, 0]
    for (const { ecosystem: stated, name, version, ids } of answers) {
      const ecosystem = canonicalEcosystem(stated)
      const entries = set.entriesOf(ecosystem, canonicalName(ecosystem, name))
      // Records that the set has of this very package: Alpine 3.18, say, is not in it.
      const known = new Set(entries.map(({ advisoryId }) => advisoryId))
      const isComparable = (id: string) => {
        const record = known.has(id) && !NOT_COMPARABLE.has(id) ? set.advisory(id) : undefined
        return record !== undefined && record.modifiedAt <= askedUntil
      }
      const found = entries.filter(({ affected }) => isAffected(version, affected)).map(({ advisoryId }) => advisoryId)
      const ours = [...new Set(found)].filter(isComparable).sort()
      const theirs = ids.filter(isComparable).toSorted()
      compared++
      idCount += theirs.length
      if (ours.join() !== theirs.join()) wrong.push({ ecosystem: stated, name, version, ours, theirs })
    }
    return { wrong, compared, idCount }
  })

  expect(wrong).toEqual([])
  expect(compared).toBe(960)
  expect(idCount).toBeGreaterThan(100)
})
