import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr'
import { signed } from '../protocols/aws/sign.ts'
import { B, type Hostile, REGION, ROOT_A, startHostile } from './hostile-surroundings.ts'

let registry: Hostile
beforeAll(async () => {
  registry = await startHostile()
  await registry.ecr(ROOT_A).send(new CreateRepositoryCommand({ repositoryName: 'secret' }))
})
afterAll(() => registry.close())

/** Each from an address of its own, so that none is refused for those before it. */
async function send(request: Request): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(request)
  return { status: response.status, text: await response.text() }
}

function altered(request: Request, headers: Readonly<Record<string, string>>, body?: string): Request {
  const all = new Headers(request.headers)
  for (const [name, value] of Object.entries(headers)) all.set(name, value)
  return new Request(request.url, { method: 'POST', headers: all, body: body ?? '{}' })
}

test('a request as it was signed is answered', async () => {
  const { status, text } = await send(await registry.signedCall(ROOT_A))
  expect([status, text]).toEqual([200, expect.stringContaining('secret')])
})

describe('a signed request is refused when', () => {
  test.each<[string, Readonly<Record<string, string>>]>([
    ['it asks for another operation', { 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.DeleteRepository' }],
    ['its date is another', { 'x-amz-date': '20260101T000000Z' }],
    ['it has a session token', { 'x-amz-security-token': 'x' }],
    ['it names another hash of its body', { 'x-amz-content-sha256': 'a'.repeat(64) }],
    ['it says that its body is not signed', { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }],
    ['it says that its body is signed in pieces', { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' }],
    ['its content type is another', { 'content-type': 'application/x-amz-json-1.0' }],
    ['its host is another', { host: 'other.example.com' }],
  ])('%s', async (_, headers) => {
    expect((await send(altered(await registry.signedCall(ROOT_A), headers))).status).toBe(400)
  })

  test('its body is another', async () => {
    const request = await registry.signedCall(ROOT_A)
    expect((await send(altered(request, {}, '{"maxResults":1}'))).text).toContain('InvalidSignatureException')
  })

  test('any character of its Authorization was changed', async () => {
    const request = await registry.signedCall(ROOT_A)
    const authorization = request.headers.get('authorization') ?? ''
    for (let at = 0; at < authorization.length; at += 7) {
      const changed = authorization.slice(0, at) + (authorization[at] === '0' ? '1' : '0') + authorization.slice(at + 1)
      expect((await send(altered(request, { authorization: changed }))).status).toBe(400)
    }
  })

  test.each([
    ['for another service', { service: 'sts' }],
    ['for another service of the registry', { service: 'ecr-public' }],
  ])('it was signed %s', async (_, change) => {
    const headers = { 'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.DescribeRepositories' }
    const request = await signed({
      url: `${registry.url}/`,
      headers,
      body: '{}',
      region: REGION,
      at: new Date(),
      credentials: ROOT_A,
      ...change,
    })
    expect((await send(request)).text).toContain('Credential should be scoped to correct service')
  })

  test.each([
    ['old', -6 * 60_000, 'Signature expired'],
    ['of the future', 6 * 60_000, 'Signature not yet current'],
  ])('it is %s', async (_, offsetMs, text) => {
    const request = await registry.signedCall(ROOT_A, '{}', 'DescribeRepositories', new Date(Date.now() + offsetMs))
    expect((await send(request)).text).toContain(text)
  })

  test("it is signed with one account's key id and another's secret", async () => {
    const mixed = { accessKeyId: ROOT_A.accessKeyId, secretAccessKey: registry.rootB.secretAccessKey }
    expect((await send(await registry.signedCall(mixed))).text).toContain('InvalidSignatureException')
  })

  test('nobody knows the key, twelve digits included', async () => {
    for (const accessKeyId of ['AKIAUNKNOWNUNKNOWN00', B, 'anonymous'])
      expect((await send(await registry.signedCall({ accessKeyId, secretAccessKey: 'x' }))).text).toContain(
        'UnrecognizedClientException',
      )
  })
})

test('whoever guesses a secret is slowed down, and who knows it elsewhere is not', async () => {
  const guess = { ...registry.rootB, secretAccessKey: 'guess' }
  const answers: string[] = []
  for (let attempt = 0; attempt < 32; attempt++) answers.push((await send(await registry.signedCall(guess))).text)
  expect(answers[0]).toContain('InvalidSignatureException')
  expect(answers.at(-1)).toContain('ThrottlingException')
  expect((await send(await registry.signedCall(registry.rootB))).text).toContain('ThrottlingException')
  expect((await send(await registry.signedCall(ROOT_A))).status).toBe(200)
})
