import ecrPublicModel from '../../../models/ecr-public.json' with { type: 'json' }
import { parseRegistryId } from '../../../src/domain/names.ts'
import { rootPrincipal } from '../../../src/domain/principal.ts'
import type { AwsSetting } from '../../../src/protocols/aws/context.ts'
import { createJsonRpc } from '../../../src/protocols/aws/json-rpc.ts'
import { loadedJson } from '../../../src/protocols/aws/loaded.ts'
import { Addresses } from '../../../src/protocols/ecr/addresses.ts'
import { ecrService } from '../../../src/protocols/ecr/operations.ts'
import { ecrPublicService } from '../../../src/protocols/ecr-public/operations.ts'
import { PublicAddresses } from '../../../src/protocols/ecr-public/public-addresses.ts'
import { createServices, type ServiceOptions, type Services } from '../../support/service-fixture.ts'
import { requestContext } from '../aws/aws-setting.ts'
import { checkOutput } from '../aws/check-output.ts'

export const OWNER = '123456789012'
export const STRANGER = '999999999999'
export const ORIGIN = 'http://localhost:4566'

export interface Caller {
  readonly account?: string
  readonly region?: string
  /** `ecr` calls the private API instead. */
  readonly service?: 'ecr' | 'ecr-public'
}

/** An answer's JSON, of which a test reads what it expects to be there. */
export type Answer = Readonly<Record<string, unknown>>

export interface EcrPublicFixture extends Services {
  /** Calls an operation; `__type` says what it was refused with. Every answer is held against the model. */
  call(operation: string, input?: object, caller?: Caller): Promise<Answer>
  readonly reported: readonly unknown[]
}

const TARGETS = { ecr: 'AmazonEC2ContainerRegistry_V20150921', 'ecr-public': 'SpencerFrontendService' } as const

/** The APIs of ECR and ECR Public over the same services in memory, for callers that the dev profile believes. */
export async function createEcrPublic(options: ServiceOptions = {}): Promise<EcrPublicFixture> {
  const services = await createServices(options)
  const reported: unknown[] = []
  const setting: AwsSetting = {
    clock: services.clock,
    profile: 'dev',
    callers: {
      findSecrets: async () => undefined,
      identify: async ({ accessKeyId }) => {
        const accountId = parseRegistryId(accessKeyId)
        return rootPrincipal(accountId, `arn:aws:iam::${accountId}:root`, accessKeyId)
      },
    },
    report: (thrown) => reported.push(thrown),
  }
  const ecr = { ...services, addresses: new Addresses(() => undefined) }
  const publicAddresses = new PublicAddresses('public.ecr.aws')
  const handle = createJsonRpc(
    [ecrService(ecr), ecrPublicService({ ...ecr, publicAddresses })].map(loadedJson),
    setting,
  )
  const call = async (operation: string, input: object = {}, caller: Caller = {}) => {
    const { account = OWNER, region = 'us-east-1', service = 'ecr-public' } = caller
    const target = `${TARGETS[service]}.${operation}`
    const headers = {
      authorization: `AWS4-HMAC-SHA256 Credential=${account}/20260101/${region}/${service}/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`,
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-date': '20260101T000000Z',
      'x-amz-target': target,
    }
    const request = new Request(`${ORIGIN}/`, { method: 'POST', headers, body: JSON.stringify(input) })
    const response = await handle(request, requestContext())
    const bytes = await response.bytes()
    if (response.status === 200 && service === 'ecr-public') checkOutput(ecrPublicModel, target, bytes)
    return JSON.parse(new TextDecoder().decode(bytes)) as Answer
  }
  return { ...services, call, reported }
}
