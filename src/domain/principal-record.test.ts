import { expect, test } from 'bun:test'
import { parseRegistryId } from './names.ts'
import { type Circumstances, from, type Principal, rootPrincipal } from './principal.ts'
import { printPrincipal, readPrincipal } from './principal-record.ts'

const accountId = parseRegistryId('123456789012')
const root = rootPrincipal(accountId, 'arn:aws:iam::123456789012:root', 'AKIA')

/** Looks its facts up when asked, as a request does. */
class Lazy implements Circumstances {
  get sourceIp() {
    return '192.0.2.7'
  }
  readonly isSecure = true
  readonly userAgent = 'docker'
  readonly requestId = 'id'
}

test('a principal comes back as it was, moments and circumstances included', () => {
  const session = {
    name: 'run-1',
    issuedAt: new Date('2026-01-01T00:00:00Z'),
    expiresAt: new Date('2026-01-01T01:00:00Z'),
    policies: ['{}'],
    facts: { 'token.example:sub': 'repo:a' },
  }
  const principal: Principal = { ...root, kind: 'role', tags: [{ key: 'team', value: 'red' }], session }
  const circumstances = { sourceIp: '192.0.2.7', isSecure: true, userAgent: 'docker', requestId: 'id' }
  expect(readPrincipal(printPrincipal(from(principal, new Lazy())))).toEqual(from(principal, circumstances))
  expect(readPrincipal(printPrincipal(root))).toEqual(root)
})
