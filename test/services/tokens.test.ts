import { afterEach, beforeEach, expect, test } from 'bun:test'
import { SignJWT } from 'jose'
import { randomIds } from '../../src/lib/ids.ts'
import { Callers } from '../../src/services/callers.ts'
import { TOKEN_LIFETIME_MS, Tokens } from '../../src/services/tokens.ts'
import { admin, createServices, registry, type Services } from '../support/service-fixture.ts'

let services: Services
beforeEach(async () => {
  services = await createServices()
})
afterEach(() => services.close())

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
  const restarted = new Tokens(services.metadata, services.clock, randomIds)
  expect((await restarted.verify(password)).principal).toEqual(admin)
})

test('a token of a key that Ecru issued dies with the key', async () => {
  const callers = new Callers(services.metadata, registry, services.clock, randomIds)
  await callers.putRootKey({ accessKeyId: 'AKIAFIRST', secretAccessKey: 'first' })
  const root = await callers.identify({ accessKeyId: 'AKIAFIRST', isVerified: true })
  const { password } = await services.tokens.issue(root, registry.region)
  await services.tokens.verify(password)
  await callers.putRootKey({ accessKeyId: 'AKIASECOND', secretAccessKey: 'second' })
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
