import { IAMClient } from '@aws-sdk/client-iam'
import { type HttpRequest, HttpResponse } from '@smithy/protocol-http'
import { UNLIMITED_RATES } from '../../../src/domain/rates.ts'
import { systemClock } from '../../../src/lib/clock.ts'
import { randomIds } from '../../../src/lib/ids.ts'
import type { AwsSetting } from '../../../src/protocols/aws/context.ts'
import { loadedQuery } from '../../../src/protocols/aws/loaded.ts'
import { createQuery } from '../../../src/protocols/aws/query.ts'
import { iamService } from '../../../src/protocols/iam/operations.ts'
import { Access } from '../../../src/services/access/access.ts'
import { Callers } from '../../../src/services/credentials/callers.ts'
import { createIamServices } from '../../../src/services/iam/iam-services.ts'
import { policyTextsOf } from '../../../src/services/iam/policy-texts.ts'
import { Throttle } from '../../../src/services/throttle.ts'
import { openMemoryMetadata } from '../../../src/stores/metadata/sqlite.ts'
import type { MetadataStore } from '../../../src/stores/metadata.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { registry } from '../../support/service-fixture.ts'
import { testMasterKey } from '../../support/test-master-key.ts'
import { requestContext } from '../aws/aws-setting.ts'

export const ACCOUNT = registry.registryId

export interface IamFixture {
  readonly metadata: MetadataStore
  readonly clock: FakeClock
  /** The client of the root of the default account. */
  readonly client: IAMClient
  /** The client of an account's root, or of whom an issued key belongs to: that signature is verified. */
  clientOf(accessKeyId: string, secretAccessKey?: string): IAMClient
  /** The answers' bodies, in order. */
  readonly bodies: readonly string[]
  readonly reported: readonly unknown[]
  close(): Promise<void>
}

/** IAM over a store in memory; who may do what is decided by its policies. */
export async function createIam(): Promise<IamFixture> {
  const clock = new FakeClock()
  const metadata = await openMemoryMetadata(testMasterKey)
  const access = new Access(metadata, clock, new Throttle(UNLIMITED_RATES, clock), {
    mode: 'enforce',
    identityPoliciesOf: (principal) => policyTextsOf(metadata, principal),
  })
  const reported: unknown[] = []
  const bodies: string[] = []
  const setting: AwsSetting = {
    // Clients sign by the real time.
    clock: systemClock,
    profile: 'dev',
    callers: new Callers(metadata, registry, clock),
    report: (thrown) => reported.push(thrown),
  }
  const services = createIamServices(metadata, access, clock, randomIds, 'aws')
  const handle = createQuery([loadedQuery(iamService(services))], setting)
  const requestHandler = {
    async handle({ method, headers, body }: HttpRequest) {
      const response = await handle(new Request('http://localhost:4566/', { method, headers, body }), requestContext())
      const bytes = await response.bytes()
      bodies.push(new TextDecoder().decode(bytes))
      const answer = { statusCode: response.status, headers: Object.fromEntries(response.headers), body: bytes }
      return { response: new HttpResponse(answer) }
    },
  }
  const clientOf = (accessKeyId: string, secretAccessKey = 'any') =>
    new IAMClient({
      region: 'us-east-1',
      endpoint: 'http://localhost:4566',
      credentials: { accessKeyId, secretAccessKey },
      maxAttempts: 1,
      requestHandler,
    })
  return { metadata, clock, client: clientOf(ACCOUNT), clientOf, bodies, reported, close: () => metadata.close() }
}

/** What a call was refused with: code, status and message. */
export async function refusalOf(answer: Promise<unknown>): Promise<readonly [code: string, message: string]> {
  try {
    await answer
  } catch (thrown) {
    if (thrown instanceof Error) return [thrown.name, thrown.message]
  }
  throw new Error('The call was not refused')
}

export function policyText(action: string | readonly string[], resource: string, more: object = {}): string {
  const statement = { Effect: 'Allow', Action: action, Resource: resource, ...more }
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
}

export function trustText(principal: object): string {
  const statement = { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: principal }
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
}
