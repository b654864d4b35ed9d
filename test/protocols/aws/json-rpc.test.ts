import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import ecr from '../../../models/ecr.json' with { type: 'json' }
import { RegistryError, repositoryNotFound, uploadRangeInvalid } from '../../../src/domain/errors.ts'
import { asKmsFailure, keyDisabled } from '../../../src/domain/kms/errors.ts'
import { parseRegion, parseRegistryId, parseRepositoryName } from '../../../src/domain/names.ts'
import type { AwsCall, AwsSetting } from '../../../src/protocols/aws/context.ts'
import { createJsonRpc, type JsonService } from '../../../src/protocols/aws/json-rpc.ts'
import { loadedJson } from '../../../src/protocols/aws/loaded.ts'
import { type Handler, operationTable } from '../../../src/protocols/aws/operation-table.ts'
import { ClientGone } from '../../../src/protocols/http/body.ts'
import { detachedContext } from '../../../src/protocols/http/context.ts'
import { awsSetting, REQUEST_ID, requestContext } from './aws-setting.ts'
import { signed, type ToSign } from './sign.ts'

const PREFIX = 'AmazonEC2ContainerRegistry_V20150921'
const PLACE = {
  name: parseRepositoryName('ab'),
  registry: { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') },
}

/** ECR with these operations alone. */
function rpcOf(handlers: Readonly<Record<string, Handler<AwsCall>>>) {
  const unsupported = Object.keys(ecr.operations).filter((name) => !(name in handlers))
  const service: JsonService = {
    model: ecr,
    operations: operationTable(ecr, handlers, unsupported, (call) => call),
    errorMembers: (error, input, { principal }) =>
      error.code === 'upload-range-invalid'
        ? { registryId: principal.accountId, uploadId: input.uploadId, absent: undefined }
        : {},
  }
  return (setting: AwsSetting) => createJsonRpc([loadedJson(service)], setting)
}

const echo: Handler<AwsCall> = async (input) => ({ input })

function request(operation: string, body = '{}', more: ToSign = {}): Promise<Request> {
  return signed({ headers: { 'x-amz-target': `${PREFIX}.${operation}` }, body, ...more })
}

async function call(rpc: ReturnType<typeof rpcOf>, request: Request, setting: AwsSetting = awsSetting()) {
  const response = await rpc(setting)(request, requestContext())
  const text = await response.text()
  expect(response.headers.get('content-type')).toBe('application/x-amz-json-1.1')
  expect(response.headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
  expect(response.headers.get('x-amzn-RequestId')).toBe(REQUEST_ID)
  return { status: response.status, headers: response.headers, body: JSON.parse(text) }
}

describe('a call', () => {
  test('reaches its operation with the validated input and the caller', async () => {
    const rpc = rpcOf({
      DescribeRepositories: async (input: object, { principal, region, origin, requestId }) => ({
        input,
        principal,
        region,
        origin,
        requestId,
      }),
    })
    const { status, body } = await call(rpc, await request('DescribeRepositories', '{"maxResults":5,"other":1}'))
    expect(status).toBe(200)
    expect(body).toMatchObject({
      input: { maxResults: 5 },
      principal: { arn: 'arn:aws:iam::123456789012:root' },
      region: 'eu-west-3',
      origin: 'http://localhost:4566',
    })
    expect(body.input.other).toBeUndefined()
  })

  test('is answered with epoch seconds, base64, and no absent members', async () => {
    const createdAt = new Date('2020-01-24T04:25:05.250Z')
    const rpc = rpcOf({
      DescribeRepositories: async () => ({
        list: [{ createdAt, absent: undefined }],
        blob: new Uint8Array([0, 1]),
        empty: [],
        none: null,
      }),
    })
    expect((await call(rpc, await request('DescribeRepositories'))).body).toEqual({
      list: [{ createdAt: 1579839905.25 }],
      blob: 'AAE=',
      empty: [],
      none: null,
    })
  })

  test('may have an empty body, a byte order mark, or the word null', async () => {
    for (const body of ['', '\ufeff{}', ' {} ', 'null'])
      expect(
        (await call(rpcOf({ DescribeRepositories: echo }), await request('DescribeRepositories', body))).body,
      ).toEqual({ input: {} })
  })

  test('with a key that nobody knows is accepted in the dev profile alone', async () => {
    const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
    const rpc = rpcOf({ DescribeRepositories: echo })
    const made = () => request('DescribeRepositories', '{}', { credentials })
    expect((await call(rpc, await made(), awsSetting({ profile: 'dev' }))).status).toBe(200)
    expect((await call(rpc, await made())).body).toEqual({
      __type: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    })
  })
})

describe('the surroundings of a call', () => {
  test('the caller is named for the access log', async () => {
    const named: string[] = []
    const context = detachedContext({ setPrincipal: (arn) => named.push(arn) })
    await rpcOf({ DescribeRepositories: echo })(awsSetting())(await request('DescribeRepositories'), context)
    expect(named).toEqual(['arn:aws:iam::123456789012:root'])
  })

  test('the origin is the one that the caller used', async () => {
    const rpc = rpcOf({ DescribeRepositories: async (_input, { origin }) => ({ origin }) })(awsSetting())
    const made = () => request('DescribeRepositories', '{}', { url: 'http://api.example.com:4566/' })
    const originOf = async (request: Request, isSecure = false) =>
      (await (await rpc(request, detachedContext({ isSecure }))).json()) as unknown
    expect(await originOf(await made())).toEqual({ origin: 'http://api.example.com:4566' })
    expect(await originOf(await made(), true)).toEqual({ origin: 'https://api.example.com:4566' })
    const proxied = await made()
    proxied.headers.set('x-forwarded-proto', 'https')
    expect(await originOf(proxied)).toEqual({ origin: 'https://api.example.com:4566' })
  })

  test('a client that leaves is nobody to answer, and no fault of ours', async () => {
    const setting = awsSetting({ profile: 'dev' })
    const { headers } = await request('DescribeRepositories', '{}', {
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    })
    headers.delete('content-length')
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('reset')) })
    const broken = new Request('http://localhost:4566/', { method: 'POST', headers, body })
    const rpc = rpcOf({ DescribeRepositories: echo })(setting)
    const thrown: unknown = await rpc(broken, detachedContext()).catch((thrown: unknown) => thrown)
    expect(thrown).toBeInstanceOf(ClientGone)
    expect(setting.reported).toEqual([])
  })
})

describe('a refusal', () => {
  const rpc = rpcOf({ DescribeRepositories: echo })

  test('names its code in the body and in a header', async () => {
    const { status, headers, body } = await call(
      rpc,
      new Request('http://localhost:4566/', {
        method: 'POST',
        headers: { 'x-amz-target': `${PREFIX}.DescribeRepositories` },
      }),
    )
    expect(status).toBe(400)
    expect(headers.get('x-amzn-ErrorType')).toBe('MissingAuthenticationTokenException')
    expect(body).toEqual({ __type: 'MissingAuthenticationTokenException', message: 'Missing Authentication Token' })
  })

  test('of an operation that does not exist', async () => {
    for (const target of [
      `${PREFIX}.Nothing`,
      'Nothing.DescribeRepositories',
      `${PREFIX}.constructor`,
      PREFIX,
      '.',
      '',
    ]) {
      const { status, body } = await call(rpc, await signed({ headers: { 'x-amz-target': target } }))
      expect([status, body.__type], target).toEqual([400, 'UnknownOperationException'])
    }
  })

  test('of an operation that this registry does not perform names it', async () => {
    const { status, body } = await call(rpc, await request('ValidatePullThroughCacheRule', 'never parsed'))
    expect(status).toBe(400)
    expect(body).toEqual({
      __type: 'UnsupportedOperationException',
      message: 'ECR ValidatePullThroughCacheRule is not supported by this registry.',
    })
  })

  test('of what is not JSON', async () => {
    for (const body of ['{', 'x', '[', '{"a":1}}', '['.repeat(100_000), '\u0000'])
      expect((await call(rpc, await request('DescribeRepositories', body))).body.__type).toBe('SerializationException')
    const bytes = new Request(
      await request('DescribeRepositories', '{}', { credentials: { accessKeyId: 'x', secretAccessKey: 'y' } }),
      {
        body: new Uint8Array([0x22, 0xff, 0x22]),
      },
    )
    expect((await call(rpc, bytes, awsSetting({ profile: 'dev' }))).body.__type).toBe('SerializationException')
  })

  test('of a member, in the words of ECR', async () => {
    const { body } = await call(rpc, await request('DescribeRepositories', '{"maxResults":0}'))
    expect(body).toEqual({
      __type: 'InvalidParameterException',
      message:
        "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value greater than or equal to 1'",
    })
  })

  test('by an operation', async () => {
    const rpc = rpcOf({ DescribeRepositories: () => Promise.reject(repositoryNotFound(PLACE)) })
    expect((await call(rpc, await request('DescribeRepositories'))).body).toEqual({
      __type: 'RepositoryNotFoundException',
      message: "The repository with name 'ab' does not exist in the registry with id '123456789012'",
    })
  })

  test('carries the further members of its exception, and no other details', async () => {
    const rpc = rpcOf({
      CreateRepository: () => Promise.reject(asKmsFailure(keyDisabled('the key'))),
      UploadLayerPart: () => Promise.reject(uploadRangeInvalid(0, 5)),
    })
    const create = await call(rpc, await request('CreateRepository', '{"repositoryName":"ab"}'))
    expect(create.body).toMatchObject({ __type: 'KmsException', kmsError: 'DisabledException' })
    const uploadId = '00000000-0000-4000-8000-000000000000'
    const part = { repositoryName: 'ab', uploadId, partFirstByte: 0, partLastByte: 0, layerPartBlob: 'AA==' }
    expect((await call(rpc, await request('UploadLayerPart', JSON.stringify(part)))).body).toEqual({
      __type: 'InvalidLayerPartException',
      message: 'First byte of the layer part is 0 instead of 5',
      registryId: '123456789012',
      uploadId,
    })
  })

  test('for a reason of our own tells the log and not the client', async () => {
    const bug = new TypeError('the password is hunter2')
    const rpc = rpcOf({ DescribeRepositories: () => Promise.reject(bug) })
    const setting = awsSetting()
    const { status, body } = await call(rpc, await request('DescribeRepositories'), setting)
    expect([status, body.__type]).toEqual([500, 'ServerException'])
    expect(JSON.stringify(body)).not.toContain('hunter2')
    expect(setting.reported).toEqual([bug])
  })

  test('is not reported when it is the caller who erred', async () => {
    const setting = awsSetting()
    await call(rpc, await request('DescribeRepositories', '{"maxResults":0}'), setting)
    expect(setting.reported).toEqual([])
  })
})

describe('the size of a body', () => {
  const rpc = rpcOf({ DescribeRepositories: echo, UploadLayerPart: async () => ({}) })
  const MIB = 1024 * 1024
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const dev = () => awsSetting({ profile: 'dev' })

  /** A body without a length, in pieces of 1 MiB. */
  async function streamed(operation: string, mebibytes: number): Promise<{ request: Request; readMiB: () => number }> {
    let read = 0
    const stream = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (read === mebibytes) return controller.close()
        read++
        controller.enqueue(new Uint8Array(MIB).fill(0x20))
      },
    })
    const { headers } = await request(operation, '{}', { credentials })
    headers.delete('content-length')
    return {
      request: new Request('http://localhost:4566/', { method: 'POST', headers, body: stream }),
      readMiB: () => read,
    }
  }

  test('is limited while it is read', async () => {
    const { request, readMiB } = await streamed('DescribeRepositories', 64)
    const { status, body } = await call(rpc, request, dev())
    expect([status, body.__type]).toEqual([413, 'RequestEntityTooLargeException'])
    expect(readMiB()).toBeLessThan(10)
  })

  test('is limited by what the client announces', async () => {
    const large = await request('DescribeRepositories', '{}', { credentials })
    large.headers.set('content-length', String(64 * MIB))
    expect((await call(rpc, large, dev())).status).toBe(413)
  })

  test('may be as large as a layer part needs', async () => {
    const uploadId = '00000000-0000-4000-8000-000000000000'
    const part = { repositoryName: 'ab', uploadId, partFirstByte: 0, partLastByte: 20_971_519 }
    const body = JSON.stringify({ ...part, layerPartBlob: Buffer.alloc(20_971_520).toString('base64') })
    const { headers } = await request('UploadLayerPart', '{}', { credentials })
    headers.delete('content-length')
    expect(
      (await call(rpc, new Request('http://localhost:4566/', { method: 'POST', headers, body }), dev())).status,
    ).toBe(200)
  })
})

test('whatever arrives, the answer is a well-formed AWS answer and never a 500', async () => {
  const rpc = rpcOf({ DescribeImages: echo })
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const body = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.json(),
    fc.jsonValue().map((value) => `{"imageIds":[${JSON.stringify(value)}]}`),
  )
  await fc.assert(
    fc.asyncProperty(body, async (body) => {
      const setting = awsSetting({ profile: 'dev' })
      const { status } = await call(rpc, await request('DescribeImages', body.toWellFormed(), { credentials }), setting)
      expect([200, 400]).toContain(status)
      expect(setting.reported).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test('an error without a sentence of its own is still an error', async () => {
  const rpc = rpcOf({ DescribeRepositories: () => Promise.reject(new RegistryError('throttled', 'Rate exceeded')) })
  expect((await call(rpc, await request('DescribeRepositories'))).body.__type).toBe('ThrottlingException')
})
