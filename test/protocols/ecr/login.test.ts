import { afterEach, describe, expect, test } from 'bun:test'
import { DescribeRegistryCommand, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

let ecr: EcrFixture
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

describe('GetAuthorizationToken', () => {
  test('answers a password for AWS that the registry accepts for 12 hours', async () => {
    ecr = await createEcr()
    const { authorizationData = [] } = await ecr.client.send(new GetAuthorizationTokenCommand())
    expect(authorizationData).toHaveLength(1)
    const { authorizationToken = '', expiresAt, proxyEndpoint } = authorizationData[0] ?? {}
    const [user, password = '', ...rest] = Buffer.from(authorizationToken, 'base64').toString().split(':')
    expect([user, rest]).toEqual(['AWS', []])
    expect(password).not.toMatch(/\s/)
    expect(expiresAt).toEqual(new Date('2026-03-02T20:00:00.000Z'))
    expect(proxyEndpoint).toBe('http://localhost:4566')
    const { principal, registry } = await ecr.tokens.verify(password)
    expect(principal.arn).toBe('arn:aws:iam::123456789012:root')
    expect<object>(registry).toEqual({ registryId: '123456789012', region: 'eu-west-3' })
  })

  test('answers an endpoint for each registry asked for', async () => {
    ecr = await createEcr(({ registryId, region }) => `${registryId}.dkr.ecr.${region}.example.com:443`)
    const registryIds = ['123456789012', '999999999999']
    const { authorizationData } = await ecr.client.send(new GetAuthorizationTokenCommand({ registryIds }))
    expect(authorizationData?.map(({ proxyEndpoint }) => proxyEndpoint)).toEqual([
      'https://123456789012.dkr.ecr.eu-west-3.example.com:443',
      'https://999999999999.dkr.ecr.eu-west-3.example.com:443',
    ])
    const [code] = await refusalOf(ecr.client.send(new GetAuthorizationTokenCommand({ registryIds: ['x'] })))
    expect(code).toBe('InvalidParameterException')
  })
})

test('DescribeRegistry answers without any set-up', async () => {
  ecr = await createEcr()
  const { registryId, replicationConfiguration } = await ecr.client.send(new DescribeRegistryCommand())
  expect<object>({ registryId, replicationConfiguration }).toEqual({
    registryId: '123456789012',
    replicationConfiguration: { rules: [] },
  })
})
