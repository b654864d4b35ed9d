import { createHash } from 'node:crypto'
import { type App, createApp } from '../../src/app.ts'
import { readConfig, type Texts } from '../../src/config/config.ts'
import type { Ids } from '../../src/lib/ids.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { detachedContext } from '../../src/protocols/http/context.ts'
import { FakeClock } from '../support/fake-clock.ts'

export const ACCOUNT = '123456789012'
export const OTHER_ACCOUNT = '999999999999'
export const REGION = 'eu-west-3'

/** The answer of an operation: status and document. */
export interface ApiAnswer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

/** The JSON APIs of a registry, as signatures name them. */
export type ApiService = 'ecr' | 'ecr-public' | 'secretsmanager'

/** Who calls which API from which region; the development profile takes an account's number for the key of its root. */
export interface ApiCaller {
  readonly service?: ApiService
  readonly account?: string
  readonly region?: string
}

/** A whole registry as `ecru serve --memory` puts it together, without its socket, and with a clock that stands still. */
export interface InProcessRegistry {
  readonly app: App
  readonly clock: FakeClock
  /** Whatever it took for mistakes of its own. */
  readonly mistakes: readonly unknown[]
  send(request: Request): Promise<Response>
  /** Calls an operation, of ECR's API unless another is named. A text or bytes are sent as they are. */
  call(operation: string, input: unknown, caller?: ApiCaller): Promise<ApiAnswer>
  close(): Promise<void>
}

export async function startInProcess(settings: Texts = {}): Promise<InProcessRegistry> {
  const clock = new FakeClock()
  const mistakes: unknown[] = []
  const logger = {
    ...silentLogger,
    error: (facts: { readonly error?: unknown }) => mistakes.push(facts.error ?? facts),
  }
  const defaults = { ECRU_MEMORY: 'true', ECRU_DEFAULT_ACCOUNT: ACCOUNT, ECRU_DEFAULT_REGION: REGION }
  const { config } = readConfig({ ...defaults, ...settings })
  const app = await createApp(config, logger, { clock, ids: countedIds() })
  const send = (request: Request) => app.handle(request, detachedContext())
  return {
    app,
    clock,
    mistakes,
    send,
    call: async (operation, input, caller = {}) => {
      const body = typeof input === 'string' || input instanceof Uint8Array ? new Blob([input.slice()]) : json(input)
      const response = await send(
        new Request('http://registry.test:4566/', {
          method: 'POST',
          headers: headersOf(operation, caller),
          body,
        }),
      )
      return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> }
    },
    close: () => app.close(),
  }
}

/** The same in every registry, so that what was asked of one can be asked of another. */
function countedIds(): Ids {
  let count = 0
  let secrets = 0
  return {
    uuid: () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`,
    secret: (lengthBytes) => new Uint8Array(Buffer.alloc(lengthBytes, hashOf(++secrets))),
  }
}

const hashOf = (count: number) => createHash('sha256').update(String(count)).digest()
const json = (input: unknown) => JSON.stringify(input)

const APIS = {
  ecr: { target: 'AmazonEC2ContainerRegistry_V20150921', home: REGION },
  'ecr-public': { target: 'SpencerFrontendService', home: 'us-east-1' },
  secretsmanager: { target: 'secretsmanager', home: REGION },
} as const

/** Signed in form. */
function headersOf(
  operation: string,
  { service = 'ecr', account = ACCOUNT, region }: ApiCaller,
): Record<string, string> {
  const { target, home } = APIS[service]
  const scope = `${account}/20260302/${region ?? home}/${service}/aws4_request`
  return {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-date': '20260302T080000Z',
    'x-amz-target': `${target}.${operation}`,
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`,
  }
}
