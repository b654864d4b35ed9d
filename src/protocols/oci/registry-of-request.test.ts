import { expect, test } from 'bun:test'
import { parseRegion, parseRegistryId } from '../../domain/names.ts'
import { rootPrincipal } from '../../domain/principal.ts'
import { registryOfHost, registryOfRequest } from './registry-of-request.ts'

test.each([
  ['111122223333.dkr.ecr.eu-west-3.amazonaws.com', '111122223333', 'eu-west-3'],
  ['111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn', '111122223333', 'cn-north-1'],
  ['111122223333.dkr.ecr-fips.us-gov-west-1.amazonaws.com', '111122223333', 'us-gov-west-1'],
  ['111122223333.dkr-ecr.us-east-1.on.aws', '111122223333', 'us-east-1'],
  ['111122223333.dkr-ecr-fips.us-east-1.on.aws', '111122223333', 'us-east-1'],
  ['111122223333.DKR.ECR.us-east-1.registry.example.com:8443', '111122223333', 'us-east-1'],
  ['111122223333.dkr.ecr.us-east-1.localhost:4566', '111122223333', 'us-east-1'],
])('%s names its registry', (host, registryId, region) => {
  expect(registryOfHost(host) as unknown).toEqual({ registryId, region })
})

test.each([
  'localhost:4566',
  '127.0.0.1:4566',
  '[::1]:4566',
  'registry.example.com',
  '11112222333.dkr.ecr.us-east-1.amazonaws.com',
  'x111122223333.dkr.ecr.us-east-1.amazonaws.com',
  '111122223333.dkr.ecr.us-east-1',
  '111122223333.dkr.ecr.us_east.amazonaws.com',
  '111122223333.dkr.ecr..amazonaws.com',
  '',
])('%p names none', (host) => {
  expect(registryOfHost(host)).toBeUndefined()
})

const registry = { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') }
const bearer = {
  principal: rootPrincipal(registry.registryId, 'arn:aws:iam::123456789012:root', 'K'),
  registry,
}

test('a host that names none means the registry of the token', () => {
  expect(registryOfRequest('localhost:4566', bearer)).toBe(registry)
})

test('the host decides the account, as in ECR', () => {
  expect(registryOfRequest('111122223333.dkr.ecr.eu-west-3.example.com', bearer) as unknown).toEqual({
    registryId: '111122223333',
    region: 'eu-west-3',
  })
})

test('a token of another region is no token here', () => {
  const ask = () => registryOfRequest('123456789012.dkr.ecr.us-east-1.example.com', bearer)
  expect(ask).toThrow(expect.objectContaining({ code: 'token-invalid' }))
})
