import { expect, test } from 'bun:test'
import { accountRootArn, parseRepositoryArn, repositoryArn } from './arn.ts'
import { parseRegion, parseRegistryId, parseRepositoryName } from './names.ts'

const registry = { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') }
const ref = { registry, name: parseRepositoryName('team/app') }

test('a repository ARN goes there and back', () => {
  expect(repositoryArn(ref)).toBe('arn:aws:ecr:eu-west-3:123456789012:repository/team/app')
  expect(parseRepositoryArn(repositoryArn(ref))).toEqual(ref)
})

test('the partition follows the region', () => {
  const china = { ...registry, region: parseRegion('cn-north-1') }
  expect(repositoryArn({ ...ref, registry: china })).toStartWith('arn:aws-cn:ecr:cn-north-1:')
  expect(accountRootArn(china)).toBe('arn:aws-cn:iam::123456789012:root')
})

test.each([
  '',
  'team/app',
  'arn:aws:s3:::bucket',
  'arn:aws:ecr:eu-west-3:123456789012:repository/',
  'arn:aws:ecr:eu-west-3:123456789012:repository/Team',
  'arn:aws:ecr:eu-west-3:12345:repository/team/app',
  'arn:aws-cn:ecr:eu-west-3:123456789012:repository/team/app',
  'arn:aws:ecr::123456789012:repository/team/app',
])('%p is no repository ARN', (text) => {
  expect(() => parseRepositoryArn(text)).toThrow(
    "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'",
  )
})
