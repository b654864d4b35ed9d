import { ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { IAMClient } from '@aws-sdk/client-iam'
import { STSClient } from '@aws-sdk/client-sts'
import { type App, createApp } from '../../src/app.ts'
import { readConfig, type Texts } from '../../src/config/config.ts'
import { startHttpServer } from '../../src/protocols/http/server.ts'
import { signed } from '../protocols/aws/sign.ts'
import { memoryLogger } from '../protocols/http/memory-logger.ts'

export interface Keys {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export const A = '111111111111'
export const B = '222222222222'
export const REGION = 'eu-west-3'
export const ROOT_A: Keys = {
  accessKeyId: 'AKIAROOTROOTROOTROOT',
  secretAccessKey: 'the-secret-of-the-root-key-is-long',
}

/** A whole registry of the server profile in this process, behind a socket: account A is the operator's, B is another. */
export async function startHostile(more: Texts = {}) {
  const { config } = readConfig({
    ECRU_PROFILE: 'server',
    ECRU_MEMORY: 'true',
    ECRU_DEFAULT_ACCOUNT: A,
    ECRU_DEFAULT_REGION: REGION,
    ECRU_ROOT_ACCESS_KEY_ID: ROOT_A.accessKeyId,
    ECRU_ROOT_SECRET_ACCESS_KEY: ROOT_A.secretAccessKey,
    ...more,
  })
  const logger = memoryLogger()
  const app: App = await createApp(config, logger)
  const server = startHttpServer(
    { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 60_000, logger },
    app.handle,
  )
  const { accessKeyId, secretAccessKey } = (await app.administer('account/create', { account: B })) as Keys
  const host = new URL(server.url).host
  const closing: { destroy(): void }[] = []
  const client = <T extends { destroy(): void }>(made: T): T => {
    closing.push(made)
    return made
  }
  const settings = (credentials: Keys) => ({ endpoint: server.url, region: REGION, credentials, maxAttempts: 1 })
  return {
    app,
    url: server.url,
    host,
    rootB: { accessKeyId, secretAccessKey },
    /** All that was logged, errors with their traces included. */
    log: () => logger.lines.map((line) => JSON.stringify(line) + Object.values(line).map(String).join(' ')).join('\n'),
    ecr: (keys: Keys) => client(new ECRClient(settings(keys))),
    iam: (keys: Keys) => client(new IAMClient(settings(keys))),
    sts: (keys: Keys) => client(new STSClient(settings(keys))),
    /** The password of a login with these keys. */
    async password(keys: Keys): Promise<string> {
      const answer = await client(new ECRClient(settings(keys))).send(new GetAuthorizationTokenCommand({}))
      const [{ authorizationToken = '' } = {}] = answer.authorizationData ?? []
      return Buffer.from(authorizationToken, 'base64').toString().slice('AWS:'.length)
    },
    /** A request on `/v2/` with a password; `host` is what it says in its header. */
    v2(
      method: string,
      path: string,
      password: string,
      init: RequestInit & { readonly host?: string } = {},
    ): Promise<Response> {
      const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
      const headers = { authorization, ...(init.host === undefined ? {} : { host: init.host }), ...init.headers }
      return fetch(`${server.url}/v2/${path}`, { ...init, method, headers, redirect: 'manual' })
    },
    /** A call of ECR as it is signed, before anybody changed it. */
    signedCall(credentials: Keys, body = '{}', target = 'DescribeRepositories', at = new Date()): Promise<Request> {
      const headers = {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${target}`,
      }
      return signed({ url: `${server.url}/`, headers, body, region: REGION, at, credentials })
    },
    async close(): Promise<void> {
      for (const each of closing) each.destroy()
      await server.close(0)
      await app.close()
    },
  }
}

export type Hostile = Awaited<ReturnType<typeof startHostile>>
