import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { AssumeRootCommand, GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import type { AwsSetting } from '../../../src/protocols/aws/context.ts'
import { loadedQuery } from '../../../src/protocols/aws/loaded.ts'
import { createQuery } from '../../../src/protocols/aws/query.ts'
import type { StsServices } from '../../../src/protocols/sts/operation.ts'
import { stsService } from '../../../src/protocols/sts/operations.ts'
import { awsSetting, REQUEST_ID, requestContext } from '../aws/aws-setting.ts'
import { KEY, presigned, signed } from '../aws/sign.ts'

const query = (request: Request, setting: AwsSetting) =>
  createQuery([loadedQuery(stsService({} as StsServices))], setting)(request, requestContext())
const FORM = 'Action=GetCallerIdentity&Version=2011-06-15'
const form = { 'content-type': 'application/x-www-form-urlencoded' }

async function post(body: string, setting: AwsSetting = awsSetting()) {
  const response = await query(await signed({ body, headers: form, service: 'sts' }), setting)
  return { status: response.status, headers: response.headers, text: await response.text() }
}

describe('GetCallerIdentity', () => {
  test('answers in XML', async () => {
    const { status, headers, text } = await post(FORM)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('text/xml')
    expect(headers.get('content-length')).toBe(String(text.length))
    expect(text).toBe(
      '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
        '<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:root</Arn><UserId>123456789012</UserId>' +
        '<Account>123456789012</Account></GetCallerIdentityResult>' +
        `<ResponseMetadata><RequestId>${REQUEST_ID}</RequestId></ResponseMetadata>` +
        '</GetCallerIdentityResponse>\n',
    )
  })

  test('answers a pre-signed URL', async () => {
    const url = `http://sts.localhost:4566/?${FORM}`
    const request = await presigned({ method: 'GET', url, service: 'sts' })
    expect((await query(request, awsSetting())).status).toBe(200)
    expect((await query(new Request(`${request.url}&Extra=1`), awsSetting())).status).toBe(403)
  })
})

describe('refusals', () => {
  test.each([
    ['Action=AssumeRoot&Version=2011-06-15', 400, 'UnsupportedOperation', 'STS AssumeRoot is not supported'],
    ['Action=Nothing&Version=2011-06-15', 400, 'InvalidAction', ''],
    ['Action=GetCallerIdentity&Version=1999-01-01', 400, 'InvalidAction', ''],
    ['', 400, 'InvalidAction', ''],
  ])('%p → %p %p', async (body, status, code, message) => {
    const answer = await post(body)
    expect(answer.status).toBe(status)
    expect(answer.text).toContain(`<Type>Sender</Type><Code>${code}</Code>`)
    expect(answer.text).toContain(message)
  })

  test('of requests without a signature, and of bad ones', async () => {
    const unsigned = new Request('http://localhost:4566/', { method: 'POST', headers: form, body: FORM })
    const missing = await query(unsigned, awsSetting())
    expect([missing.status, await missing.text()]).toEqual([
      403,
      expect.stringContaining('<Code>MissingAuthenticationToken</Code>'),
    ])
    const forged = await signed({ body: FORM, service: 'sts', credentials: { ...KEY, secretAccessKey: 'x' } })
    expect(await (await query(forged, awsSetting())).text()).toContain('<Code>SignatureDoesNotMatch</Code>')
    const unknown = await signed({ body: FORM, service: 'sts', credentials: { ...KEY, accessKeyId: 'AKIDUNKNOWN' } })
    expect(await (await query(unknown, awsSetting())).text()).toContain('<Code>InvalidClientTokenId</Code>')
  })

  test('escape what they repeat', async () => {
    const request = await signed({ body: FORM, service: 'sts' })
    request.headers.set('authorization', 'AWS4-<&>')
    const text = await (await query(request, awsSetting())).text()
    expect(text).toContain('AWS4-&lt;&amp;&gt;')
  })

  test('for a reason of our own tell the log and not the client', async () => {
    const bug = new Error('disk on fire')
    const setting = awsSetting({
      callers: { findSecrets: () => Promise.reject(bug), identify: () => Promise.reject(bug) },
    })
    const { status, text } = await post(FORM, setting)
    expect([status, setting.reported]).toEqual([500, [bug]])
    expect(text).toContain('<Type>Receiver</Type><Code>InternalFailure</Code>')
    expect(text).not.toContain('fire')
  })

  test('of operations that are called unsigned name them', async () => {
    const body = 'Action=AssumeRoleWithSAML&Version=2011-06-15'
    const response = await query(new Request('http://localhost:4566/', { method: 'POST', body }), awsSetting())
    expect(await response.text()).toContain('STS AssumeRoleWithSAML is not supported by this registry.')
  })
})

describe('the AWS SDK', () => {
  let server: ReturnType<typeof Bun.serve>
  let client: STSClient

  beforeAll(() => {
    const setting = awsSetting({ clock: { now: () => new Date() } })
    server = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: (request) => query(request, setting) })
    client = new STSClient({
      endpoint: `http://127.0.0.1:${server.port}`,
      region: 'eu-west-3',
      credentials: KEY,
      maxAttempts: 1,
    })
  })

  afterAll(async () => {
    client.destroy()
    await server.stop(true)
  })

  test('understands the answer', async () => {
    const { Account, Arn, UserId, $metadata } = await client.send(new GetCallerIdentityCommand())
    expect({ Account, Arn, UserId }).toEqual({
      Account: '123456789012',
      Arn: 'arn:aws:iam::123456789012:root',
      UserId: '123456789012',
    })
    expect($metadata.requestId).toBe(REQUEST_ID)
  })

  test('understands a refusal', async () => {
    const thrown: unknown = await client
      .send(new AssumeRootCommand({ TargetPrincipal: '123456789012', TaskPolicyArn: {} }))
      .catch((thrown: unknown) => thrown)
    expect(thrown).toMatchObject({
      name: 'UnsupportedOperation',
      message: 'STS AssumeRoot is not supported by this registry.',
      $fault: 'client',
    })
  })
})
