import { describe, expect, test } from 'bun:test'
import type { Digest } from '../digest.ts'
import { type AdmissionFacts, refusalOf } from './decide.ts'
import { type AdmissionRule, checkAdmissionRule, isExemptDigest, isExemptPrincipal, reaches, ruleFor } from './rule.ts'

const NOW = new Date('2026-03-01T00:00:00Z')
const DIGEST = `sha256:${'a'.repeat(64)}` as Digest

function ruleOf(changes: Partial<AdmissionRule> = {}): AdmissionRule {
  return {
    repositories: '*',
    ignoresUnfixed: false,
    isDryRun: false,
    exemptPrincipals: [],
    exemptDigests: [],
    changedAt: NOW,
    ...changes,
  }
}

const done = (changes: Partial<Extract<AdmissionFacts, { state: 'done' }>> = {}): AdmissionFacts => ({
  state: 'done',
  asOf: NOW,
  findings: [{ id: 'CVE-2026-1', packageName: 'openssl', severity: 'HIGH', isFixable: false }],
  ...changes,
})

describe('the rule of a repository', () => {
  const rules = ['*', 'team/*', 'team/app', '*/app'].map((repositories) => ruleOf({ repositories }))
  test.each([
    ['team/app', 'team/app'],
    ['team/web', 'team/*'],
    ['other/app', '*/app'],
    ['base', '*'],
  ])('%s', (name, repositories) => {
    expect(ruleFor(rules, name)?.repositories).toBe(repositories)
  })

  test('is none where none matches', () => {
    expect(ruleFor([ruleOf({ repositories: 'team/*' })], 'base')).toBeUndefined()
  })
})

describe('a pull is refused', () => {
  const rule = ruleOf({ severity: 'HIGH', ageMsMax: 86_400_000 })
  test.each<[string, AdmissionFacts, string | undefined]>([
    ['without a scan', { state: 'none' }, 'the image has not been scanned'],
    ['after a scan that failed', { state: 'failed', reason: 'No data.' }, 'the image could not be scanned: No data'],
    ['for its findings', done(), 'the image has 1 finding of HIGH or worse: CVE-2026-1 in openssl (HIGH)'],
    ['but not without any', done({ findings: [] }), undefined],
    ['by age', done({ asOf: new Date('2026-02-27T00:00:00Z'), findings: [] }), expect.stringContaining('too old')],
  ])('%s', (_, facts, reason) => {
    expect(refusalOf(rule, facts, NOW)).toEqual(reason as string)
  })

  test('for what is bad enough alone, and fixable where that is asked', () => {
    expect(refusalOf(ruleOf({ severity: 'CRITICAL' }), done(), NOW)).toBeUndefined()
    expect(refusalOf(ruleOf({ severity: 'LOW' }), done(), NOW)).toContain('LOW or worse')
    expect(refusalOf(ruleOf({ severity: 'LOW', ignoresUnfixed: true }), done(), NOW)).toBeUndefined()
    expect(refusalOf(ruleOf(), done(), NOW)).toBeUndefined()
    expect(refusalOf(ruleOf(), { state: 'none' }, NOW)).toContain('not been scanned')
  })
})

test('severities are compared; what nobody has judged reaches the last limit only', () => {
  expect(reaches('CRITICAL', 'HIGH')).toBe(true)
  expect(reaches('MEDIUM', 'HIGH')).toBe(false)
  expect([reaches('UNTRIAGED', 'LOW'), reaches('UNDEFINED', 'UNDEFINED'), reaches('UNTRIAGED', 'UNDEFINED')]).toEqual([
    false,
    true,
    true,
  ])
})

test('principals are exempt by pattern, images until a date', () => {
  const rule = ruleOf({
    exemptPrincipals: ['arn:aws:iam::*:role/scanner'],
    exemptDigests: [{ digest: DIGEST, until: new Date('2026-03-02T00:00:00Z') }],
  })
  const session = 'arn:aws:sts::000000000000:assumed-role/scanner/x'
  expect(isExemptPrincipal(rule, [session, 'arn:aws:iam::000000000000:role/scanner'])).toBe(true)
  expect(isExemptPrincipal(rule, ['arn:aws:iam::000000000000:role/scanner2'])).toBe(false)
  expect(isExemptDigest(rule, DIGEST, NOW)).toBe(true)
  expect(isExemptDigest(rule, DIGEST, new Date('2026-03-02T00:00:00Z'))).toBe(false)
  expect(isExemptDigest(ruleOf({ exemptDigests: [{ digest: DIGEST }] }), DIGEST, NOW)).toBe(true)
})

test.each<Partial<AdmissionRule>>([
  { repositories: '' },
  { repositories: 'Team/app' },
  { repositories: 'team/' },
  { ageMsMax: 0 },
  { ageMsMax: Number.NaN },
  { exemptPrincipals: ['root'] },
  { exemptPrincipals: Array.from({ length: 101 }, () => '*') },
])('%p is no rule', (changes) => {
  expect(() => checkAdmissionRule(ruleOf(changes))).toThrow()
})
