import { ECRClient } from '@aws-sdk/client-ecr'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { KMSClient } from '@aws-sdk/client-kms'
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { type HttpRequest, HttpResponse } from '@smithy/protocol-http'
import ecrModel from '../../../models/ecr.json' with { type: 'json' }
import eventsModel from '../../../models/events.json' with { type: 'json' }
import kmsModel from '../../../models/kms.json' with { type: 'json' }
import secretsModel from '../../../models/secretsmanager.json' with { type: 'json' }
import { parseRegistryId, type Registry } from '../../../src/domain/names.ts'
import { rootPrincipal, userPrincipal } from '../../../src/domain/principal.ts'
import type { AwsSetting } from '../../../src/protocols/aws/context.ts'
import { createJsonRpc } from '../../../src/protocols/aws/json-rpc.ts'
import { loadedJson } from '../../../src/protocols/aws/loaded.ts'
import type { ServiceModel } from '../../../src/protocols/aws/model.ts'
import { Addresses } from '../../../src/protocols/ecr/addresses.ts'
import { ecrService } from '../../../src/protocols/ecr/operations.ts'
import { eventsService } from '../../../src/protocols/events/operations.ts'
import { kmsService } from '../../../src/protocols/kms/operations.ts'
import { secretsService } from '../../../src/protocols/secretsmanager/operations.ts'
import { createServices, type ServiceOptions, type Services } from '../../support/service-fixture.ts'
import { requestContext } from '../aws/aws-setting.ts'
import { checkOutput } from '../aws/check-output.ts'

const MODELS: readonly ServiceModel[] = [ecrModel, kmsModel, secretsModel, eventsModel]
const REGION = 'eu-west-3'
const OWNER = '123456789012'

export interface EcrFixture extends Services {
  /** The AWS SDK, which calls the handler without a socket, as the root user of an account or as a user of it. */
  clientOf(account: string, user?: string): ECRClient
  /** The client of the account that owns the fixture's registry. */
  readonly client: ECRClient
  /** The same for KMS. */
  kmsOf(account: string, user?: string): KMSClient
  readonly kms: KMSClient
  /** And for Secrets Manager. */
  secretsOf(account: string, user?: string): SecretsManagerClient
  /** And for EventBridge. */
  eventsOf(account: string, user?: string): EventBridgeClient
  readonly reported: readonly unknown[]
}

/** ECR's API over services in memory. Every answer is held against the model. */
export async function createEcr(
  hostOf: (registry: Registry) => string | undefined = () => undefined,
  options: ServiceOptions = {},
): Promise<EcrFixture> {
  const services = await createServices(options)
  const reported: unknown[] = []
  const setting: AwsSetting = {
    clock: services.clock,
    profile: 'dev',
    callers: {
      findSecrets: async () => undefined,
      identify: async ({ accessKeyId }) => {
        const [, account = '', user] = /^([0-9]{12})(.+)?$/.exec(accessKeyId) ?? []
        const accountId = parseRegistryId(account)
        if (user === undefined) return rootPrincipal(accountId, `arn:aws:iam::${accountId}:root`, accessKeyId)
        return userPrincipal(accountId, `arn:aws:iam::${accountId}:user/${user}`, `AIDA${user}`, accessKeyId)
      },
    },
    report: (thrown) => reported.push(thrown),
  }
  const addresses = new Addresses(hostOf)
  const handle = createJsonRpc(
    [
      ecrService({ ...services, addresses }),
      kmsService(services),
      secretsService(services),
      eventsService(services),
    ].map(loadedJson),
    setting,
  )
  const requestHandler = {
    async handle(request: HttpRequest) {
      const { method, headers, body } = request
      const response = await handle(new Request('http://localhost:4566/', { method, headers, body }), requestContext())
      const bytes = await response.bytes()
      const target = headers['x-amz-target'] ?? ''
      const model = MODELS.find(({ metadata }) => target.startsWith(`${metadata.targetPrefix}.`))
      if (response.status === 200 && model !== undefined) checkOutput(model, target, bytes)
      const answer = { statusCode: response.status, headers: Object.fromEntries(response.headers), body: bytes }
      return { response: new HttpResponse(answer) }
    },
  }
  const settingsOf = (account: string, user = '') => ({
    region: REGION,
    endpoint: 'http://localhost:4566',
    credentials: { accessKeyId: account + user, secretAccessKey: 'any' },
    maxAttempts: 1,
    requestHandler,
  })
  const clientOf = (account: string, user?: string) => new ECRClient(settingsOf(account, user))
  const kmsOf = (account: string, user?: string) => new KMSClient(settingsOf(account, user))
  const secretsOf = (account: string, user?: string) => new SecretsManagerClient(settingsOf(account, user))
  const eventsOf = (account: string, user?: string) => new EventBridgeClient(settingsOf(account, user))
  return { ...services, clientOf, client: clientOf(OWNER), kmsOf, kms: kmsOf(OWNER), secretsOf, eventsOf, reported }
}

/** What a call was refused with: code and message. */
export async function refusalOf(answer: Promise<unknown>): Promise<readonly [code: string, message: string]> {
  try {
    await answer
  } catch (thrown) {
    if (thrown instanceof Error) return [thrown.name, thrown.message]
  }
  throw new Error('The call was not refused')
}
