import { afterAll, beforeAll, expect, test } from 'bun:test'
import { canonicalEcosystem, canonicalName } from '../../src/domain/advisories/ecosystems.ts'
import type { Finding } from '../../src/domain/advisories/finding.ts'
import { isAffected } from '../../src/domain/advisories/ranges.ts'
import { Matching } from '../../src/services/matching.ts'
import type { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { realAdvisories, unpackedText } from '../support/advisory-data.ts'
import { type GoldenVulnerability, inventoryOf, readGolden } from '../support/golden-inventory.ts'

const NOW = new Date('2026-11-21T00:00:00Z')
let advisories: SqliteAdvisoryStore
let matching: Matching

beforeAll(async () => {
  advisories = await realAdvisories(NOW)
  matching = new Matching(advisories, { now: () => NOW }, { ageMsMax: 30 * 24 * 3_600_000 })
})

afterAll(async () => {
  await advisories.close()
})

/** By which id Trivy names a finding: the CVE for Debian and Alpine, the record's own elsewhere. */
const NAMED_BY_CVE = new Set(['debian', 'alpine'])

const IMAGES: readonly (readonly [image: string, vulnerabilities: number, findings: number, coverage: string])[] = [
  ['alpine-3.10.4', 20, 20, 'complete'],
  ['alpine-3.10.4-upgraded', 5, 5, 'complete'],
  ['debian-12.0', 633, 633, 'complete'],
  ['debian-12-distroless', 167, 167, 'complete'],
  // 136 advisories are about 265 CVEs in the packages that they name: a finding is one flaw, an advisory is many.
  ['almalinux-9.2-sqlite', 136, 265, 'complete'],
  // Four records are of flaws that another record has under the same CVE: one flaw is one finding. One is found only here.
  ['langs', 255, 252, 'complete'],
  ['sle15-bci-ndb', 0, 0, 'none'],
  ['centos-bdb-libuuid', 0, 0, 'none'],
]

/** What is found here and not by Trivy. */
const ONLY_HERE = new Map([
  [
    'actionpack usr/local/bundle/specifications/actionpack-5.2.2.gemspec GHSA-v5jg-558j-q67c',
    'A range of this record is introduced in 3.0.0 and fixed in 2.3.13. By the evaluation of OSV, which sorts events by ' +
      'version, all versions from 3.0.0 are affected; Trivy reads it as an empty one.',
  ],
])

for (const [image, vulnerabilities, findings, coverage] of IMAGES) {
  test(`${image}: what Trivy finds over the same advisories, nothing more and nothing less`, async () => {
    const golden = readGolden(image)
    const match = await matching.match(inventoryOf(golden))

    expect(golden.vulnerabilities).toHaveLength(vulnerabilities)
    expect(idsFound(match.findings, golden.os.Family)).toEqual(idsExpected(golden.vulnerabilities))
    expect(match.findings).toHaveLength(findings)
    expect(match.coverage.state).toBe(coverage as typeof match.coverage.state)
  })
}

function idsFound(findings: readonly Finding[], family: string): readonly string[] {
  const found = findings.flatMap((finding) => {
    const isLanguage = finding.package.filePath !== undefined
    const ids = NAMED_BY_CVE.has(family) && !isLanguage ? [finding.id] : finding.advisories.map(({ id }) => id)
    // Trivy does not say in which file it found packages of .NET.
    const path = finding.package.type === 'nuget' ? '' : (finding.package.filePath ?? '')
    return ids.map((id) => `${finding.package.name} ${path} ${id}`)
  })
  return [...new Set(found)].filter((one) => !ONLY_HERE.has(one)).sort()
}

function idsExpected(vulnerabilities: readonly GoldenVulnerability[]): readonly string[] {
  return [...new Set(vulnerabilities.map((one) => `${one.package} ${one.path ?? ''} ${one.id}`))].sort()
}

/**
 * Where the versions in which a flaw is fixed differ. Trivy lists those of every branch of a package; here are those above
 * the installed version in the branch that it is of. Where two advisories of AlmaLinux are about one CVE, here are the fixes
 * of both.
 */
const FIXES_DIFFER: Readonly<Record<string, number>> = { langs: 84, 'almalinux-9.2-sqlite': 24 }

test('fixes are those that Trivy names, but for branches that the installed version is not of', async () => {
  for (const [image] of IMAGES) {
    const golden = readGolden(image)
    const { findings } = await matching.match(inventoryOf(golden))
    let differing = 0
    for (const { package: name, path, id, fixed = '' } of golden.vulnerabilities) {
      const ours = findings.find(
        (finding) =>
          finding.package.name === name &&
          (path === undefined || finding.package.filePath === path) &&
          (finding.id === id || finding.advisories.some((advisory) => advisory.id === id)),
      )
      const theirs = fixed.split(', ').filter((version) => version !== '')
      if (ours?.fixedVersions.toSorted().join() === theirs.toSorted().join()) continue
      differing++
      expect(
        image === 'langs'
          ? ours?.fixedVersions.every((version) => theirs.includes(version)) || (ours?.advisories.length ?? 0) > 1
          : theirs.every((version) => ours?.fixedVersions.includes(version)),
      ).toBe(true)
    }
    expect([image, differing]).toEqual([image, FIXES_DIFFER[image] ?? 0])
  }
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
