import { expect, test } from 'bun:test'
import { parseRegistryId } from '../names.ts'
import { iamArn, parseIamArn } from './iam-arn.ts'

const accountId = parseRegistryId('123456789012')

test('what is printed is read again', () => {
  for (const [kind, path, name] of [
    ['user', '/', 'alice'],
    ['role', '/a/b/', 'ci=1@x'],
    ['policy', '/p/', 'q'],
  ] as const) {
    const arn = iamArn('aws-cn', { accountId, kind, path, name })
    expect(parseIamArn(arn)).toEqual({ partition: 'aws-cn', accountId, kind, path, name })
  }
})

test('a provider is named by its URL, slashes included', () => {
  expect(parseIamArn('arn:aws:iam::123456789012:oidc-provider/example.com/id/A1')).toEqual({
    partition: 'aws',
    accountId,
    kind: 'oidc-provider',
    path: '/',
    name: 'example.com/id/A1',
  })
})

test('what AWS manages is policies', () => {
  expect(parseIamArn('arn:aws:iam::aws:policy/service-role/X')).toMatchObject({
    accountId: 'aws',
    path: '/service-role/',
  })
  expect(parseIamArn('arn:aws:iam::aws:role/X')).toBeUndefined()
})

test.each([
  'arn:aws:iam::123456789012:root',
  'arn:aws:iam::123456789012:user/',
  'arn:aws:iam::12:user/a',
  'arn:aws:sts::123456789012:assumed-role/a/b',
  'AIDAEXAMPLE',
  '',
])('%p is no ARN of an entity', (text) => {
  expect(parseIamArn(text)).toBeUndefined()
})
