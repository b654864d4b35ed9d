import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { AssumeRoleWithWebIdentityCommand, type AssumeRoleWithWebIdentityCommandInput } from '@aws-sdk/client-sts'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { ACCOUNT, createSts, ROLE_ARN, refusal, type Sts, trust } from './sts-fixture.ts'

const GITHUB = 'https://token.actions.githubusercontent.com'
const PROVIDER = `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com`
const AUDIENCE = 'sts.amazonaws.com'
const CLAIMS = { sub: 'repo:octo/app:ref:refs/heads/main', repository: 'octo/app', aud: AUDIENCE, iss: GITHUB }
const WEB_TRUST = trust({
  Action: 'sts:AssumeRoleWithWebIdentity',
  Principal: { Federated: PROVIDER },
  Condition: {
    StringEquals: { 'token.actions.githubusercontent.com:aud': AUDIENCE },
    StringLike: { 'token.actions.githubusercontent.com:sub': 'repo:octo/app:*' },
  },
})

const pairs = {
  RS256: await generateKeyPair('RS256', { extractable: true }),
  ES256: await generateKeyPair('ES256', { extractable: true }),
  ES512: await generateKeyPair('ES512', { extractable: true }),
  EdDSA: await generateKeyPair('EdDSA', { extractable: true }),
}
const strangers = await generateKeyPair('RS256', { extractable: true })

let sts: Sts
beforeEach(async () => {
  sts = await createSts()
  await sts.putProvider(GITHUB, [AUDIENCE])
  await sts.putRole(WEB_TRUST)
  const keys = Object.entries(pairs).map(async ([alg, { publicKey }]) => ({
    ...(await exportJWK(publicKey)),
    kid: alg,
    alg,
  }))
  sts.issuers.set(GITHUB, await Promise.all(keys))
})
afterEach(() => sts.close())

const nowSeconds = () => Math.floor(sts.clock.now().getTime() / 1000)

function signed(claims: object = {}, alg: keyof typeof pairs = 'RS256', header: object = {}): Promise<string> {
  const times = { iat: nowSeconds(), nbf: nowSeconds(), exp: nowSeconds() + 300 }
  return new SignJWT({ ...CLAIMS, ...times, ...claims })
    .setProtectedHeader({ alg, kid: alg, typ: 'JWT', ...header })
    .sign(pairs[alg].privateKey)
}

const assume = (token: string, input: Partial<AssumeRoleWithWebIdentityCommandInput> = {}) =>
  sts.as({ accessKeyId: 'unused', secretAccessKey: 'unused' }).send(
    new AssumeRoleWithWebIdentityCommand({
      ...{ RoleArn: ROLE_ARN, RoleSessionName: 'run-1', WebIdentityToken: token },
      ...input,
    }),
  )

describe('a token of a registered issuer', () => {
  test.each(['RS256', 'ES256', 'ES512', 'EdDSA'] as const)(
    'signed with %s begins a session of the role',
    async (alg) => {
      const answer = await assume(await signed({}, alg))
      expect(answer).toMatchObject({
        SubjectFromWebIdentityToken: CLAIMS.sub,
        Audience: AUDIENCE,
        Provider: PROVIDER,
        AssumedRoleUser: { Arn: `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/run-1` },
      })
      const { principal } = (await sts.sessions.find(answer.Credentials?.AccessKeyId ?? '')) ?? {}
      expect(principal?.session?.facts).toMatchObject({
        'aws:federatedprovider': PROVIDER,
        'token.actions.githubusercontent.com:sub': CLAIMS.sub,
      })
    },
  )

  test('may be for several audiences, of which one is registered', async () => {
    expect(await assume(await signed({ aud: [AUDIENCE] }))).toMatchObject({ Audience: AUDIENCE })
    expect(await refusal(assume(await signed({ aud: [AUDIENCE, 'other'], azp: 'other' })))).toMatchObject({
      code: 'InvalidIdentityToken',
    })
  })

  test('may carry tags, which take a permission', async () => {
    const claims = {
      'https://aws.amazon.com/tags': { principal_tags: { project: ['x'] }, transitive_tag_keys: ['project'] },
    }
    expect(await refusal(assume(await signed(claims)))).toMatchObject({ code: 'AccessDenied' })
  })
})

describe('is refused', () => {
  test.each<[string, object, string]>([
    ['for another repository', { sub: 'repo:mallory/app:ref:refs/heads/main' }, 'AccessDenied'],
    ['for another audience', { aud: 'https://github.com/octo' }, 'InvalidIdentityToken'],
    ['of another issuer', { iss: 'https://issuer.example.com' }, 'InvalidIdentityToken'],
    ['of an issuer that looks alike', { iss: `${GITHUB}.example.com` }, 'InvalidIdentityToken'],
    ['of the issuer without TLS', { iss: GITHUB.replace('https', 'http') }, 'InvalidIdentityToken'],
    ['without a subject', { sub: undefined }, 'InvalidIdentityToken'],
    ['without an end', { exp: undefined }, 'InvalidIdentityToken'],
    ['without a beginning', { iat: undefined }, 'InvalidIdentityToken'],
    ['that has expired', { exp: 1 }, 'ExpiredTokenException'],
    ['that is not valid yet', { nbf: 4_000_000_000 }, 'InvalidIdentityToken'],
    ['issued in the future', { iat: 4_000_000_000 }, 'InvalidIdentityToken'],
  ])('one %s', async (_, claims, code) => {
    expect(await refusal(assume(await signed(claims)))).toMatchObject({ code })
  })

  test('one that says it is signed with nothing', async () => {
    const [, payload = ''] = (await signed()).split('.')
    for (const alg of ['none', 'None', 'NONE', '']) {
      const header = Buffer.from(JSON.stringify({ alg, typ: 'JWT' })).toString('base64url')
      for (const signature of ['', 'AAAA'])
        expect(await refusal(assume(`${header}.${payload}.${signature}`))).toMatchObject({
          code: 'InvalidIdentityToken',
        })
    }
  })

  test('one signed with the public key as if it were a secret', async () => {
    const secret = new TextEncoder().encode(await exportSPKI(pairs.RS256.publicKey))
    for (const kid of ['RS256', undefined]) {
      const token = await new SignJWT({ ...CLAIMS, iat: nowSeconds(), exp: nowSeconds() + 300 })
        .setProtectedHeader({ alg: 'HS256', ...(kid === undefined ? {} : { kid }) })
        .sign(secret)
      expect(await refusal(assume(token))).toMatchObject({ code: 'InvalidIdentityToken' })
    }
  })

  test("one that brings its own key, or says where it is, or names another's", async () => {
    const jwk = await exportJWK(strangers.publicKey)
    const headers = [
      { jwk },
      { jku: 'https://evil.example.com/keys' },
      { x5u: 'https://evil.example.com/cert' },
      { x5c: ['AAAA'] },
      { kid: '../../etc/passwd' },
      { kid: "' or 1=1 --" },
      { kid: 'RS256' },
      { kid: 'ES256' },
    ]
    for (const header of headers) {
      const token = await new SignJWT({ ...CLAIMS, iat: nowSeconds(), exp: nowSeconds() + 300 })
        .setProtectedHeader({ alg: 'RS256', kid: 'RS256', ...header })
        .sign(strangers.privateKey)
      expect(await refusal(assume(token))).toMatchObject({ code: 'InvalidIdentityToken' })
    }
  })

  test('one with an unknown critical header', async () => {
    const token = await signed()
    const [, payload = '', signature = ''] = token.split('.')
    const header = Buffer.from(JSON.stringify({ alg: 'RS256', kid: 'RS256', crit: ['x'], x: 1 })).toString('base64url')
    expect(await refusal(assume(`${header}.${payload}.${signature}`))).toMatchObject({ code: 'InvalidIdentityToken' })
  })

  test('one of which a character was changed', async () => {
    const token = await signed()
    const parts = token.split('.')
    for (const index of [0, 1, 2]) {
      const part = parts[index] ?? ''
      const changed = part.startsWith('A', 10) ? 'B' : 'A'
      const mutilated = parts.with(index, part.slice(0, 10) + changed + part.slice(11)).join('.')
      expect(await refusal(assume(mutilated))).toMatchObject({ code: 'InvalidIdentityToken' })
    }
    for (const text of [`${parts[0]}.${parts[1]}.`, `${parts[0]}.${parts[1]}`, 'abcd', '....'])
      expect(await refusal(assume(text))).toMatchObject({ code: 'InvalidIdentityToken' })
  })

  test('one for a role that does not trust its provider, or is in another account', async () => {
    const token = await signed()
    const elsewhere = 'arn:aws:iam::999999999999:role/deploy'
    expect(await refusal(assume(token, { RoleArn: elsewhere }))).toMatchObject({ code: 'InvalidIdentityToken' })
    await sts.metadata.transact(async (tx) => {
      const role = await tx.iam.find('role', ACCOUNT, 'deploy')
      const trustPolicy = JSON.stringify(trust({ Action: 'sts:*', Principal: { AWS: '*' } }))
      if (role !== undefined) await tx.iam.update({ ...role, attributes: { ...role.attributes, trustPolicy } })
    })
    expect(await refusal(assume(token))).toMatchObject({ code: 'AccessDenied' })
  })
})

describe('the claims of GitHub Actions', () => {
  const trusting = (key: string, value: string) =>
    trust({
      Action: 'sts:AssumeRoleWithWebIdentity',
      Principal: { Federated: PROVIDER },
      Condition: { StringEquals: { [`token.actions.githubusercontent.com:${key}`]: value } },
    })

  test.each([
    ...['actor', 'actor_id', 'enterprise_id', 'environment', 'job_workflow_ref', 'ref', 'repository', 'repository_id'],
    'workflow',
  ])('%s decides in the trust policy, and is not kept for the session', async (key) => {
    await sts.metadata.transact(async (tx) => {
      const role = await tx.iam.find('role', ACCOUNT, 'deploy')
      if (role === undefined) throw new Error('the role is there')
      await tx.iam.update({
        ...role,
        attributes: { ...role.attributes, trustPolicy: JSON.stringify(trusting(key, 'x7')) },
      })
    })
    const { Credentials } = await assume(await signed({ [key]: 'x7' }))
    const { principal } = (await sts.sessions.find(Credentials?.AccessKeyId ?? '')) ?? {}
    if (key !== 'sub')
      expect(principal?.session?.facts).not.toHaveProperty([`token.actions.githubusercontent.com:${key}`])
    expect(await refusal(assume(await signed({ [key]: 'x8' })))).toMatchObject({ code: 'AccessDenied' })
    expect(await refusal(assume(await signed({ [key]: undefined })))).toMatchObject({ code: 'AccessDenied' })
  })
})

test('an address from which too many bad tokens came is slowed down, good tokens included', async () => {
  const bad = await signed({ aud: 'somebody else' })
  for (let count = 0; count < 60; count++) expect((await refusal(assume(bad))).code).toBe('InvalidIdentityToken')
  expect((await refusal(assume(bad))).code).toBe('Throttling')
  expect((await refusal(assume(await signed()))).code).toBe('Throttling')
  sts.clock.advance(60_000)
  expect(await assume(await signed())).toMatchObject({ Audience: AUDIENCE })
})
