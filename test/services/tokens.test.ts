import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { SignJWT } from 'jose'
import { randomIds } from '../../src/lib/ids.ts'
import { Callers } from '../../src/services/credentials/callers.ts'
import { RobotTokens } from '../../src/services/credentials/robot-tokens.ts'
import { RootKeys } from '../../src/services/credentials/root-keys.ts'
import { TokenKeys } from '../../src/services/credentials/token-keys.ts'
import { TOKEN_LIFETIME_MS, Tokens } from '../../src/services/credentials/tokens.ts'
import { newEntity } from '../suites/metadata-store-iam.ts'
import { admin, createServices, registry, type Services } from '../support/service-fixture.ts'

let services: Services
beforeEach(async () => {
  services = await createServices()
})
afterEach(() => services.close())

function restartedTokens(acceptsUnknownKeys = true): Tokens {
  const { metadata, clock } = services
  const keys = new TokenKeys(metadata, clock, randomIds, TOKEN_LIFETIME_MS)
  const callers = new Callers(metadata, registry, clock)
  const robots = new RobotTokens(metadata, clock, randomIds)
  return new Tokens({ metadata, callers, robots, keys, clock, ids: randomIds }, { acceptsUnknownKeys })
}

const withCode = (code: string) => expect.objectContaining({ code })

test('a token speaks for its caller, in the region it was issued in', async () => {
  const { password, expiresAt } = await services.tokens.issue(admin, registry.region)
  expect(await services.tokens.verify(password)).toEqual({ principal: admin, registry })
  expect(expiresAt.getTime()).toBe(services.clock.now().getTime() + TOKEN_LIFETIME_MS)
})

test('a token has neither colon nor white space, since the AWS CLI splits at them', async () => {
  const { password } = await services.tokens.issue(admin, registry.region)
  expect(password).toMatch(/^[^:\s]+$/)
})

test('a token dies after twelve hours, also one that was used before', async () => {
  const { password } = await services.tokens.issue(admin, registry.region)
  services.clock.advance(TOKEN_LIFETIME_MS - 1000)
  await services.tokens.verify(password)
  services.clock.advance(1000)
  await expect(services.tokens.verify(password)).rejects.toEqual(withCode('token-expired'))
  await expect(services.tokens.verify(password)).rejects.toEqual(withCode('token-expired'))
})

test('a token of the same installation is good after a restart', async () => {
  const { password } = await services.tokens.issue(admin, registry.region)
  const restarted = restartedTokens()
  expect((await restarted.verify(password)).principal).toEqual(admin)
})

test('a token of a key that Ecru issued dies with the key', async () => {
  const rootKeys = new RootKeys(services.metadata, registry, services.clock, randomIds)
  await rootKeys.put({ accessKeyId: 'AKIAFIRST', secretAccessKey: 'first' })
  const root = await services.callers.identify({ accessKeyId: 'AKIAFIRST', isVerified: true })
  const { password } = await services.tokens.issue(root, registry.region)
  await services.tokens.verify(password)
  await rootKeys.put({ accessKeyId: 'AKIASECOND', secretAccessKey: 'second' })
  await expect(services.tokens.verify(password)).rejects.toEqual(withCode('token-invalid'))
})

test.each(['', 'secret', 'a.b.c', 'eyJhbGciOiJub25lIn0.e30.'])('%p is no token', async (password) => {
  await expect(services.tokens.verify(password)).rejects.toEqual(withCode('token-invalid'))
})

test('a token that was tampered with is none', async () => {
  const { password } = await services.tokens.issue(admin, registry.region)
  const [header = '', payload = '', signature = ''] = password.split('.')
  const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const forged = Buffer.from(JSON.stringify({ ...(claims as object), acct: '999999999999' })).toString('base64url')
  await expect(services.tokens.verify(`${header}.${forged}.${signature}`)).rejects.toEqual(withCode('token-invalid'))
})

test('a token signed by somebody else is none', async () => {
  const password = await new SignJWT({
    acct: admin.accountId,
    reg: registry.region,
    arn: admin.arn,
    uid: '1',
    key: 'k',
  })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuer('ecru')
    .setAudience('registry-login')
    .setExpirationTime('1h')
    .sign(new Uint8Array(32))
  await expect(services.tokens.verify(password)).rejects.toEqual(withCode('token-invalid'))
})

describe('the keys that sign', () => {
  test('are rotated: older ones verify until their last token has expired', async () => {
    const { tokens, tokenKeys, clock } = services
    const { password } = await tokens.issue(admin, registry.region)
    clock.advance(3600_000)
    expect(await tokenKeys.rotate(false)).toMatchObject({ verifyingKeys: 1 })
    const { password: newer } = await tokens.issue(admin, registry.region)
    expect(kidOf(newer)).not.toBe(kidOf(password))
    await tokens.verify(password)
    clock.advance(TOKEN_LIFETIME_MS)
    expect(await tokenKeys.rotate(false)).toMatchObject({ verifyingKeys: 1 })
    await expect(tokens.verify(password)).rejects.toEqual(withCode('token-expired'))
    await expect(restartedTokens().verify(password)).rejects.toEqual(withCode('token-invalid'))
  })

  test('can be revoked: all tokens die at once, also those that were just used', async () => {
    const { password } = await services.tokens.issue(admin, registry.region)
    await services.tokens.verify(password)
    expect(await services.tokenKeys.rotate(true)).toMatchObject({ verifyingKeys: 0 })
    await expect(services.tokens.verify(password)).rejects.toEqual(withCode('token-invalid'))
    const { password: newer } = await services.tokens.issue(admin, registry.region)
    expect((await services.tokens.verify(newer)).principal).toEqual(admin)
  })
})

const kidOf = (password: string): unknown =>
  JSON.parse(Buffer.from(password.split('.')[0] ?? '', 'base64url').toString()).kid

test('a token of a key that nobody here knows is worth nothing where every signature is verified', async () => {
  const { password } = await services.tokens.issue(admin, registry.region)
  await expect(restartedTokens(false).verify(password)).rejects.toEqual(withCode('token-invalid'))
})

test('whoever guesses is answered that it is too much, while good tokens stay good', async () => {
  const { tokens } = services
  const { password } = await tokens.issue(admin, registry.region)
  for (let guess = 0; guess < 60; guess++)
    await expect(tokens.verify(`guess-${guess}`, '192.0.2.1')).rejects.toEqual(withCode('token-invalid'))
  await expect(tokens.verify('another', '192.0.2.1')).rejects.toEqual(withCode('throttled'))
  await expect(tokens.verify('another', '192.0.2.2')).rejects.toEqual(withCode('token-invalid'))
  expect((await tokens.verify(password, '192.0.2.1')).principal).toEqual(admin)
})

describe('the token of a robot', () => {
  const scope = { accountId: registry.registryId, region: registry.region, lifetimeMs: 90 * 24 * 3600_000 }
  const request = { ...scope, userName: 'ci', repositories: ['team/*'], actions: ['pull'] as const }
  beforeEach(async () => {
    await services.metadata.transact((tx) => tx.iam.insert(newEntity('user', 'ci')))
  })

  test('speaks for its user, narrowed to its scope, until it ends', async () => {
    const { token, id } = await services.robotTokens.create(request)
    expect(token).toMatch(/^ecru_[0-9a-f]{16}_[\w-]{43}$/)
    const { principal, registry: where } = await services.tokens.verify(token)
    expect(where).toEqual(registry)
    expect(principal).toMatchObject({ kind: 'user', arn: 'arn:aws:iam::123456789012:user/ci', accessKeyId: id })
    const policy: unknown = JSON.parse(principal.session?.policies[0] ?? '')
    expect(policy).toMatchObject({
      Statement: [
        { Effect: 'Allow', Resource: ['arn:aws:ecr:eu-west-3:123456789012:repository/team/*'] },
        { Effect: 'Deny', Resource: '*' },
        { Effect: 'Deny', NotResource: ['arn:aws:ecr:eu-west-3:123456789012:repository/team/*'] },
      ],
    })
    expect(JSON.stringify(policy)).not.toContain('ecr:PutImage')
    services.clock.advance(scope.lifetimeMs)
    await expect(services.tokens.verify(token)).rejects.toEqual(withCode('token-expired'))
  })

  test('is kept as a hash, listed without it, and revoked at once', async () => {
    const { token, id } = await services.robotTokens.create(request)
    await services.tokens.verify(token)
    const listed = await services.robotTokens.list()
    expect(listed).toMatchObject([{ id, repositories: ['team/*'], actions: ['pull'] }])
    const secret = token.split('_').slice(2).join('_')
    expect(JSON.stringify([listed, await services.metadata.view.robotTokens.list({ limit: 1 })])).not.toContain(secret)
    expect(await services.robotTokens.revoke(id)).toBe(true)
    expect(await services.robotTokens.revoke(id)).toBe(false)
    await expect(services.tokens.verify(token)).rejects.toEqual(withCode('token-invalid'))
  })

  test('dies with its user, and a namesake does not revive it', async () => {
    const { token } = await services.robotTokens.create(request)
    await services.tokens.verify(token)
    await services.metadata.transact(async (tx) => {
      const user = await tx.iam.find('user', registry.registryId, 'ci')
      await tx.iam.delete(user?.id ?? 0)
      await tx.iam.insert({ ...newEntity('user', 'ci'), uniqueId: 'somebody else' })
    })
    await expect(services.tokens.verify(token)).rejects.toEqual(withCode('token-invalid'))
  })

  test('with another secret is none', async () => {
    const { token } = await services.robotTokens.create(request)
    const last = token.endsWith('A') ? 'B' : 'A'
    await expect(services.tokens.verify(token.slice(0, -1) + last)).rejects.toEqual(withCode('token-invalid'))
  })

  test.each([
    ['no repository', { repositories: [] }],
    ['a repository that can be none', { repositories: ['Team/*'] }],
    ['a variable of policies', { repositories: [`\${aws:username}`] }],
    ['no action', { actions: [] }],
    ['an end at once', { lifetimeMs: 0 }],
    ['no user', { userName: 'nobody' }],
  ])('is not made for %s', async (_, change) => {
    await expect(services.robotTokens.create({ ...request, ...change })).rejects.toEqual(withCode('invalid-parameter'))
  })
})
