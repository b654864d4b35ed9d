import { CloudWatchClient } from '@aws-sdk/client-cloudwatch'
import { AwsJson1_0Protocol, AwsQueryProtocol } from '@aws-sdk/core/protocols'
import { SmithyRpcV2CborProtocol } from '@smithy/core/cbor'
import { type HttpRequest, HttpResponse } from '@smithy/protocol-http'
import { type App, createApp } from '../../../src/app.ts'
import { readConfig } from '../../../src/config/config.ts'
import { randomIds } from '../../../src/lib/ids.ts'
import { silentLogger } from '../../../src/lib/logger.ts'
import { detachedContext } from '../../../src/protocols/http/context.ts'
import { FakeClock } from '../../support/fake-clock.ts'

export const OWNER = '123456789012'
export const REGION = 'eu-west-3'

/** Each by which some client calls CloudWatch. */
export const PROTOCOLS = {
  cbor: SmithyRpcV2CborProtocol,
  json: AwsJson1_0Protocol,
  query: AwsQueryProtocol,
} as const

export interface CloudWatchFixture {
  readonly app: App
  readonly clock: FakeClock
  clientOf(protocol: keyof typeof PROTOCOLS, account?: string): CloudWatchClient
  /** Asks the registry itself, in AWS JSON, as the root of an account. */
  ask(target: string, input: object, account?: string): Promise<Readonly<Record<string, unknown>>>
  /** Moves the registry's clock; what has become due is done. */
  advance(seconds: number): Promise<void>
  /** So many calls of GetAuthorizationToken, which are counted. */
  call(times: number): Promise<void>
}

/** CloudWatch over a whole registry in memory, called by the AWS SDK without a socket. */
export async function createCloudWatch(): Promise<CloudWatchFixture> {
  const clock = new FakeClock()
  const { config } = readConfig({ ECRU_MEMORY: 'true' })
  const app = await createApp(config, silentLogger, { clock, ids: randomIds })
  const requestHandler = {
    async handle({ method, headers, body, path, query }: HttpRequest) {
      const search = new URLSearchParams(query as Record<string, string>).toString()
      const url = `http://localhost:4566${path}${search === '' ? '' : `?${search}`}`
      const response = await app.handle(new Request(url, { method, headers, body }), detachedContext())
      const answer = {
        statusCode: response.status,
        headers: Object.fromEntries(response.headers),
        body: await response.bytes(),
      }
      return { response: new HttpResponse(answer) }
    },
  }
  const ask = async (target: string, input: object, account = OWNER) => {
    const service = target.startsWith('AmazonEC2') ? 'ecr' : 'events'
    const headers = {
      host: 'localhost:4566',
      authorization: `AWS4-HMAC-SHA256 Credential=${account}/20260101/${REGION}/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
      'x-amz-date': '20260101T000000Z',
      'x-amz-target': target,
    }
    const request = new Request('http://localhost:4566/', { method: 'POST', headers, body: JSON.stringify(input) })
    return (await (await app.handle(request, detachedContext())).json()) as Record<string, unknown>
  }
  return {
    app,
    clock,
    clientOf: (protocol, account = OWNER) =>
      new CloudWatchClient({
        region: REGION,
        endpoint: 'http://localhost:4566',
        credentials: { accessKeyId: account, secretAccessKey: 'any' },
        maxAttempts: 1,
        requestHandler,
        protocol: PROTOCOLS[protocol],
      }),
    ask,
    async advance(seconds) {
      const body = JSON.stringify({ advanceSeconds: seconds })
      const request = new Request('http://localhost:4566/_ecru/clock', { method: 'POST', body })
      const response = await app.handle(request, detachedContext())
      if (response.status !== 200) throw new Error(await response.text())
    },
    async call(times) {
      for (let count = 0; count < times; count++)
        await ask('AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken', {})
    },
  }
}
