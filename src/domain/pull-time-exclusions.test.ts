import { expect, test } from 'bun:test'
import { isExcluded, pullerArn } from './pull-time-exclusions.ts'

const A = '123456789012'
const role = `arn:aws:iam::${A}:role/scanner`
const roleWithPath = `arn:aws:iam::${A}:role/ci/tools/scanner`
const user = `arn:aws:iam::${A}:user/scanner`
const session = `arn:aws:sts::${A}:assumed-role/scanner/a-session`

test('the session of a role counts as its role, path included', () => {
  const puller = pullerArn({ kind: 'role', arn: session, identityArn: roleWithPath })
  expect(isExcluded([roleWithPath], puller)).toBe(true)
  expect(isExcluded([role], puller)).toBe(false)
})

test('a user counts as himself, also in a session of his own, and whom he speaks for does not', () => {
  expect(isExcluded([role, user], pullerArn({ kind: 'user', arn: user, identityArn: user }))).toBe(true)
  const guest = `arn:aws:sts::${A}:federated-user/guest`
  expect(isExcluded([user], pullerArn({ kind: 'federated-user', arn: guest, identityArn: user }))).toBe(false)
})

test.each([
  [role, user],
  [user, role],
  [role, `${role}2`],
  [role, role.replace(A, '999999999999')],
  [user, `arn:aws:iam::${A}:root`],
  [`arn:aws:iam::${A}:root`, `arn:aws:iam::${A}:root`],
])('an exclusion of %s is none of %s', (excluded, puller) => {
  expect(isExcluded([excluded], puller)).toBe(false)
})

test('nobody is excluded where nobody was', () => expect(isExcluded([], role)).toBe(false))
