import { expect, test } from 'bun:test'
import { repositoryArn } from './arn.ts'
import { isRegion, parseRegistryId, parseRepositoryName } from './names.ts'
import {
  isPublic,
  isPublicRepositoryName,
  isRegistryAlias,
  PUBLIC_REGION,
  parsePublicRepositoryArn,
  publicRegistry,
} from './public-registry.ts'

const registry = publicRegistry(parseRegistryId('123456789012'))

test('no region has the name of the place where public repositories are', () => {
  expect(isPublic(registry)).toBe(true)
  expect(isRegion(PUBLIC_REGION)).toBe(false)
})

test('an ARN names no region, and leads back', () => {
  const ref = { registry, name: parseRepositoryName('team/app') }
  expect(repositoryArn(ref)).toBe('arn:aws:ecr-public::123456789012:repository/team/app')
  expect(parsePublicRepositoryArn(repositoryArn(ref))).toEqual(ref)
})

test.each([
  'arn:aws:ecr-public:us-east-1:123456789012:repository/app',
  'arn:aws:ecr-public::123456789012:registry/123456789012',
  'arn:aws:ecr-public::12345:repository/app',
  'arn:aws:ecr-public::123456789012:repository/a--b',
  'arn:aws:ecr:us-east-1:123456789012:repository/app',
])('%s is no ARN of a public repository', (arn) => expect(() => parsePublicRepositoryArn(arn)).toThrow('Invalid ARN'))

test('names know no doubled separators', () => {
  expect(['app', 'team/app', 'a.b_c-d'].every(isPublicRepositoryName)).toBe(true)
  expect(['a__b', 'a--b', 'A', 'a/', '-a', ''].some(isPublicRepositoryName)).toBe(false)
})

test('an alias begins with a letter and has 2 to 50 characters', () => {
  expect(['a1b2c3d4', 'my-org', 'aa', 'a'.repeat(50)].every(isRegistryAlias)).toBe(true)
  expect(['a', '1a', 'a--b', 'A1', 'a'.repeat(51), ''].some(isRegistryAlias)).toBe(false)
})
