import { expect, test } from 'bun:test'
import { findingOf } from '../../../test/support/finding.ts'
import { applySuppressions, type Suppression } from './suppressions.ts'

const NOW = new Date('2026-06-01T00:00:00Z')
const rule: Suppression = {
  id: 's1',
  vulnerability: 'CVE-2026-1',
  reason: 'Accepted until the next release',
  createdBy: 'arn:aws:iam::123456789012:root',
  createdAt: new Date(0),
}

function statusBy(changes: Partial<Suppression>) {
  return applySuppressions([findingOf()], [{ ...rule, ...changes }], 'team/app', NOW)[0]?.status
}

test('a rule sets a finding aside until it expires, and keeps its reason', () => {
  const expiresAt = new Date(NOW.getTime() + 1)
  const status = { kind: 'suppressed', by: 'rule', source: 's1', reason: rule.reason } as const
  expect(statusBy({})).toEqual({ ...status, until: undefined })
  expect(statusBy({ expiresAt })).toEqual({ ...status, until: expiresAt })
  expect(statusBy({ expiresAt: NOW })).toEqual({ kind: 'active' })
})

test.each([
  [{ vulnerability: 'DEBIAN-CVE-2026-1' }, true],
  [{ vulnerability: 'CVE-2026-2' }, false],
  [{ repositoryName: 'team/app' }, true],
  [{ repositoryName: 'team' }, false],
  [{ packageName: 'libssl3' }, true],
  [{ packageName: 'openssl' }, true],
  [{ packageName: 'zlib' }, false],
])('%p: %p', (changes, isSetAside) => {
  expect(statusBy(changes)?.kind).toBe(isSetAside ? 'suppressed' : 'active')
})

test('what a supplier has set aside stays as it is', () => {
  const status = { kind: 'suppressed', by: 'vex', source: 'v', reason: 'fixed' } as const
  expect(applySuppressions([findingOf({ status })], [rule], 'team/app', NOW)[0]?.status).toEqual(status)
})
