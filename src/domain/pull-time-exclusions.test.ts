import { expect, test } from 'bun:test'
import { isExcluded } from './pull-time-exclusions.ts'

const A = '123456789012'
const role = `arn:aws:iam::${A}:role/scanner`
const roleWithPath = `arn:aws:iam::${A}:role/ci/tools/scanner`
const user = `arn:aws:iam::${A}:user/scanner`

test.each([
  [role, role],
  [user, user],
  [role, `arn:aws:sts::${A}:assumed-role/scanner/a-session`],
  [roleWithPath, roleWithPath],
  [roleWithPath, `arn:aws:sts::${A}:assumed-role/scanner/a-session`],
  [`arn:aws-cn:iam::${A}:user/a/scanner`, `arn:aws-cn:iam::${A}:user/a/scanner`],
])('an exclusion of %s is one of %s', (excluded, caller) => {
  expect(isExcluded([`arn:aws:iam::${A}:role/other`, excluded], caller)).toBe(true)
})

test.each([
  [role, user],
  [user, role],
  [role, `arn:aws:iam::${A}:role/scanner2`],
  [role, 'arn:aws:iam::999999999999:role/scanner'],
  [role, 'arn:aws:sts::999999999999:assumed-role/scanner/a-session'],
  [user, `arn:aws:sts::${A}:assumed-role/scanner/a-session`],
  [user, `arn:aws:iam::${A}:root`],
  [`arn:aws:iam::${A}:root`, `arn:aws:iam::${A}:root`],
])('an exclusion of %s is none of %s', (excluded, caller) => {
  expect(isExcluded([excluded], caller)).toBe(false)
})

test('nobody is excluded where nobody was', () => expect(isExcluded([], role)).toBe(false))
