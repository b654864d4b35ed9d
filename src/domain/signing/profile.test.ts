import { expect, test } from 'bun:test'
import { parseRegion, parseRegistryId } from '../names.ts'
import { parseProfileFor, parseSigningProfile } from './profile.ts'

const registryIn = (region: string) => ({ registryId: parseRegistryId('123456789012'), region: parseRegion(region) })

test('an ARN says account, region and name', () => {
  const arn = 'arn:aws:signer:eu-west-3:999999999999:/signing-profiles/release_2'
  expect(parseSigningProfile(arn)).toEqual({
    arn,
    accountId: parseRegistryId('999999999999'),
    region: parseRegion('eu-west-3'),
    name: 'release_2',
  })
})

test('what is no ARN of a profile is refused', () => {
  for (const arn of [
    '',
    'release',
    'arn:aws:signer:eu-west-3:999999999999:/signing-profiles/r',
    'arn:aws:signer:eu-west-3:999999999999:/signing-profiles/re-lease',
    'arn:aws:signer:eu-west-3:999999999999:signing-profiles/release',
    'arn:aws:kms:eu-west-3:999999999999:/signing-profiles/release',
    'arn:aws-cn:signer:eu-west-3:999999999999:/signing-profiles/release',
    `arn:aws:signer:eu-west-3:999999999999:/signing-profiles/${'r'.repeat(200)}`,
  ])
    expect(() => parseSigningProfile(arn), arn).toThrow('signingProfileArn')
})

test('a profile signs in its region, also for other accounts', () => {
  const arn = 'arn:aws-cn:signer:cn-north-1:999999999999:/signing-profiles/release'
  expect(parseProfileFor(arn, registryIn('cn-north-1')).name).toBe('release')
  expect(() => parseProfileFor(arn, registryIn('cn-northwest-1'))).toThrow('must be in the region of the registry')
})
