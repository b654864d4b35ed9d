import { expect, test } from 'bun:test'
import { type CvssScore, scoreOf } from './cvss.ts'
import { basicSeverity, enhancedSeverity, severityOfScore } from './severity.ts'

const V31 = { kind: 'CVSS_V3', value: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' } as const
const V30 = { kind: 'CVSS_V3', value: 'CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:N' } as const
const V2 = { kind: 'CVSS_V2', value: 'AV:N/AC:L/Au:N/C:P/I:P/A:P' } as const
const V4 = { kind: 'CVSS_V4', value: 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N' } as const

test('vectors of all versions have the base scores of their specifications', () => {
  expect([V31, V30, V2, V4].map(scoreOf).map((score) => [score?.version, score?.baseScore])).toEqual([
    ['3.1', 9.8],
    ['3.0', 10],
    ['2.0', 7.5],
    ['4.0', 9.3],
  ])
  expect(scoreOf({ kind: 'CVSS_V2', value: '(AV:N/AC:L/Au:N/C:P/I:P/A:P)' })?.baseScore).toBe(7.5)
})

test.each(['', 'CVSS:3.1/AV:N', 'CVSS:3.1/AV:Z/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H', 'CVSS:9.9/AV:N', 'x'.repeat(5_000)])(
  '%p is no vector',
  (value) => {
    expect(scoreOf({ kind: 'CVSS_V3', value })).toBeUndefined()
  },
)

test.each([
  ['3.1', 0, 'INFORMATIONAL'],
  ['3.1', 0.1, 'LOW'],
  ['3.1', 3.9, 'LOW'],
  ['3.1', 4, 'MEDIUM'],
  ['3.1', 6.9, 'MEDIUM'],
  ['3.1', 7, 'HIGH'],
  ['3.1', 8.9, 'HIGH'],
  ['3.1', 9, 'CRITICAL'],
  ['2.0', 10, 'HIGH'],
  ['2.0', 0, 'LOW'],
] as const)('CVSS %s, %d is %s', (version, baseScore, severity) => {
  expect(severityOfScore({ version, baseScore, vector: '' })).toBe(severity)
})

const scores = (...statements: readonly Parameters<typeof scoreOf>[0][]): readonly CvssScore[] =>
  statements.flatMap((statement) => scoreOf(statement) ?? [])

test.each([
  ["a distribution's word counts first in basic scans", 'low', true, scores(V31), 'LOW', 'CRITICAL'],
  ['unimportant is informational', 'unimportant', true, [], 'INFORMATIONAL', 'INFORMATIONAL'],
  ['negligible is informational', 'negligible', true, [], 'INFORMATIONAL', 'INFORMATIONAL'],
  ['a word that postpones is none', 'not yet assigned', true, scores(V31), 'CRITICAL', 'CRITICAL'],
  ['end-of-life is none', 'end-of-life', true, [], 'UNDEFINED', 'UNTRIAGED'],
  ['the words of Red Hat', 'Important', true, [], 'HIGH', 'HIGH'],
  ['of languages the score counts first', 'MODERATE', false, scores(V31), 'CRITICAL', 'CRITICAL'],
  ['and then the word', 'MODERATE', false, [], 'MEDIUM', 'MEDIUM'],
  ['version 3 before version 2', undefined, false, scores(V2, V31), 'CRITICAL', 'CRITICAL'],
  ['version 2 before version 4', undefined, false, scores(V4, V2), 'HIGH', 'CRITICAL'],
  ['nothing is undefined', undefined, false, [], 'UNDEFINED', 'UNTRIAGED'],
] as const)('%s', (_, vendorSeverity, isDistribution, cvss, basic, enhanced) => {
  const facts = { vendorSeverity, isDistribution, cvss }
  expect([basicSeverity(facts), enhancedSeverity(facts)]).toEqual([basic, enhanced])
})
