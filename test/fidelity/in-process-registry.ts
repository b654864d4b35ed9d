import { type App, createApp } from '../../src/app.ts'
import { readConfig, type Texts } from '../../src/config/config.ts'
import { type Ids, randomIds } from '../../src/lib/ids.ts'
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

/** Who calls the API from which region; the development profile takes an account's number for the key of its root. */
export interface ApiCaller {
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
  /** Calls an operation of ECR's API. A text or bytes are sent as they are. */
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
    call: async (operation, input, { account = ACCOUNT, region = REGION } = {}) => {
      const body = typeof input === 'string' || input instanceof Uint8Array ? new Blob([input.slice()]) : json(input)
      const response = await send(
        new Request('http://registry.test:4566/', {
          method: 'POST',
          headers: headersOf(operation, account, region),
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
  return { ...randomIds, uuid: () => `00000000-0000-4000-8000-${String(++count).padStart(12, '0')}` }
}

const json = (input: unknown) => JSON.stringify(input)

/** Signed in form. */
function headersOf(operation: string, account: string, region: string): Record<string, string> {
  const scope = `${account}/20260302/${region}/ecr/aws4_request`
  return {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-date': '20260302T080000Z',
    'x-amz-target': `AmazonEC2ContainerRegistry_V20150921.${operation}`,
    authorization: `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`,
  }
}
