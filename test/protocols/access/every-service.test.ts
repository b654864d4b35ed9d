import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { CreateAccessKeyCommand, CreateUserCommand, PutUserPolicyCommand } from '@aws-sdk/client-iam'
import cloudtrail from '../../../models/cloudtrail.json' with { type: 'json' }
import cloudwatch from '../../../models/cloudwatch.json' with { type: 'json' }
import events from '../../../models/events.json' with { type: 'json' }
import iam from '../../../models/iam.json' with { type: 'json' }
import inspector2 from '../../../models/inspector2.json' with { type: 'json' }
import kms from '../../../models/kms.json' with { type: 'json' }
import secretsmanager from '../../../models/secretsmanager.json' with { type: 'json' }
import sts from '../../../models/sts.json' with { type: 'json' }
import { type ServiceModel, signingNameOf } from '../../../src/protocols/aws/model.ts'
import { A, type Hostile, type Keys, REGION, ROOT_A, startHostile } from '../../attacks/hostile-surroundings.ts'
import { type Given, leastInput, queryForm } from '../../support/least-input.ts'
import { signed } from '../aws/sign.ts'

let registry: Hostile
let keys: Keys
const made: Record<string, string> = {}

const inA = (service: string, resource: string, region = REGION) => `arn:aws:${service}:${region}:${A}:${resource}`
const statement = (more: object) => JSON.stringify({ Version: '2012-10-17', Statement: [more] })

/** Gives the user these statements and no others. */
async function may(...Statement: readonly object[]): Promise<void> {
  const none = { Effect: 'Allow', Action: 'none:None', Resource: '*' }
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: Statement.length === 0 ? none : Statement })
  await registry.iam(ROOT_A).send(new PutUserPolicyCommand({ UserName: 'walker', PolicyName: 'own', PolicyDocument }))
}

interface Service {
  readonly name: string
  readonly model: ServiceModel
  readonly protocol: 'json' | 'query' | 'rest'
  /** What members of that name are, where the least that the model asks for means nothing. */
  readonly given: () => Given
  /** For single operations, beside those. */
  readonly more?: () => Readonly<Record<string, Given>>
  /** Operations that ask for something else, or for nothing, and whom they let in. */
  readonly except?: Readonly<Record<string, string>>
}

const POLICY = statement({ Effect: 'Allow', Action: 'ecr:*', Resource: '*' })
const TRUST = statement({ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: A } })
const KEY_POLICY = statement({ Effect: 'Allow', Action: 'kms:*', Principal: { AWS: A }, Resource: '*' })
const ALARM = {
  ...{ EvaluationPeriods: 1, ComparisonOperator: 'GreaterThanThreshold', MetricName: 'm', Namespace: 'AWS/ECR' },
  ...{ Period: 60, Statistic: 'Sum', Threshold: 1 },
}

const SERVICES: readonly Service[] = [
  {
    ...{ name: 'iam', model: iam as ServiceModel, protocol: 'query' },
    given: () => ({
      ...{ PolicyArn: `arn:aws:iam::${A}:policy/p`, PolicySourceArn: `arn:aws:iam::${A}:user/walker` },
      ...{ PolicyDocument: POLICY, PolicyInputList: [POLICY], AssumeRolePolicyDocument: TRUST, VersionId: 'v1' },
      ...{ OpenIDConnectProviderArn: `arn:aws:iam::${A}:oidc-provider/example.com`, Url: 'https://example.com' },
      ...{ PermissionsBoundary: `arn:aws:iam::${A}:policy/p`, AWSServiceName: 'replication.ecr.amazonaws.com' },
      ...{
        DeletionTaskId: 'task/aws-service-role/replication.ecr.amazonaws.com/x/y',
        AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA',
      },
    }),
  },
  {
    ...{ name: 'sts', model: sts as ServiceModel, protocol: 'query' },
    given: () => ({ RoleArn: `arn:aws:iam::${A}:role/r`, AccessKeyId: keys.accessKeyId, RoleSessionName: 'session' }),
    except: {
      AssumeRole: 'a role lets in whom it trusts, whatever others may',
      AssumeRoleWithSAML: 'is not there',
      AssumeRoleWithWebIdentity: 'is called without credentials',
      AssumeRoot: 'is not there',
      GetCallerIdentity: 'everybody may, whatever is denied',
      GetDelegatedAccessToken: 'is not there',
      GetSessionToken: 'everybody may who is not denied it',
      GetWebIdentityToken: 'is not there',
    },
  },
  {
    ...{ name: 'kms', model: kms as ServiceModel, protocol: 'json' },
    given: () => ({
      ...{ KeyId: made.key, TargetKeyId: made.key, AliasName: 'alias/x', CiphertextBlob: made.ciphertext },
      ...{ GranteePrincipal: `arn:aws:iam::${A}:user/other`, Operations: ['Decrypt'], Policy: KEY_POLICY },
      ...{ GrantId: 'a'.repeat(64) },
    }),
    more: () => ({ GenerateDataKey: { KeySpec: 'AES_256' }, GenerateDataKeyWithoutPlaintext: { KeySpec: 'AES_256' } }),
    except: { RetireGrant: 'whom the grant names may, and nobody else' },
  },
  {
    ...{ name: 'secretsmanager', model: secretsmanager as ServiceModel, protocol: 'json' },
    given: () => ({ SecretId: 'kept' }),
    more: () => ({ PutSecretValue: { SecretString: 'x' } }),
  },
  {
    ...{ name: 'events', model: events as ServiceModel, protocol: 'json' },
    given: () => ({
      ...{ ResourceARN: inA('events', 'rule/kept'), Name: 'kept', Rule: 'kept' },
      ...{ EventPattern: '{"source":["aws.ecr"]}' },
    }),
    more: () => ({ PutRule: { EventPattern: '{"source":["aws.ecr"]}' } }),
  },
  {
    ...{ name: 'cloudwatch', model: cloudwatch as ServiceModel, protocol: 'query' },
    given: () => ({ ResourceARN: inA('cloudwatch', 'alarm:kept'), AlarmName: 'kept', StateValue: 'OK' }),
    more: () => ({
      PutMetricAlarm: ALARM,
      GetMetricStatistics: {
        ...{ StartTime: '2026-01-01T00:00:00Z', EndTime: '2026-01-02T00:00:00Z', Period: 60, Statistics: ['Sum'] },
        ...{ Namespace: 'AWS/ECR', MetricName: 'RepositoryPullCount' },
      },
      GetMetricData: {
        ...{ StartTime: '2026-01-01T00:00:00Z', EndTime: '2026-01-02T00:00:00Z' },
      },
    }),
  },
  {
    ...{ name: 'cloudtrail', model: cloudtrail as ServiceModel, protocol: 'json' },
    given: () => ({}),
  },
  {
    ...{ name: 'inspector2', model: inspector2 as ServiceModel, protocol: 'rest' },
    given: () => ({}),
  },
]

/** What the operation answers: its status and all that it says. */
async function ask(service: Service, operation: string, credentials = keys): Promise<string> {
  const { model, protocol } = service
  const input = leastInput(model, operation, { ...service.given(), ...service.more?.()[operation] })
  const { metadata, operations } = model
  const json = { 'content-type': `application/x-amz-json-${metadata.jsonVersion ?? '1.1'}` }
  const { http } = operations[operation] as { readonly http?: { readonly method: string; readonly requestUri: string } }
  const request = await signed({
    ...{ service: signingNameOf(model), region: REGION, at: new Date(), credentials, url: `${registry.url}/` },
    ...(protocol === 'query'
      ? {
          headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
          body: queryForm(operation, metadata.apiVersion, input),
        }
      : protocol === 'json'
        ? {
            headers: { ...json, 'x-amz-target': `${metadata.targetPrefix}.${operation}` },
            body: JSON.stringify(input),
          }
        : {
            method: http?.method ?? 'POST',
            url: `${registry.url}${http?.requestUri ?? ''}`,
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify(input),
          }),
  })
  const response = await fetch(request)
  return `${response.status} ${await response.text()}`
}

const named = (name: string) => {
  const service = SERVICES.find((one) => one.name === name)
  if (service === undefined) throw new Error(`There is no service ${name}`)
  return service
}

beforeAll(async () => {
  registry = await startHostile()
  const client = registry.iam(ROOT_A)
  await client.send(new CreateUserCommand({ UserName: 'walker' }))
  const { AccessKey: key } = await client.send(new CreateAccessKeyCommand({ UserName: 'walker' }))
  keys = { accessKeyId: key?.AccessKeyId ?? '', secretAccessKey: key?.SecretAccessKey ?? '' }
  const key200 = await ask(named('kms'), 'CreateKey', ROOT_A)
  made.key = /"KeyId":"([^"]+)"/.exec(key200)?.[1] ?? ''
  made.ciphertext = /"CiphertextBlob":"([^"]+)"/.exec(await ask(named('kms'), 'Encrypt', ROOT_A))?.[1] ?? ''
  expect([made.key, made.ciphertext]).not.toContain('')
  for (const [service, operation] of [
    ['events', 'PutRule'],
    ['cloudwatch', 'PutMetricAlarm'],
  ] as const)
    expect(await ask(named(service), operation, ROOT_A)).toStartWith('200')
})
afterAll(() => registry.close())

const IAM_TAGS = { Tags: [{ Key: 'team', Value: 'red' }] }
test.each([
  ['iam', 'CreateUser', 'iam:TagUser', { ...IAM_TAGS, UserName: 'tagged' }],
  ['iam', 'CreateRole', 'iam:TagRole', { ...IAM_TAGS, RoleName: 'tagged' }],
  ['iam', 'CreatePolicy', 'iam:TagPolicy', { ...IAM_TAGS, PolicyName: 'tagged' }],
  [
    'iam',
    'CreateOpenIDConnectProvider',
    'iam:TagOpenIDConnectProvider',
    { ...IAM_TAGS, Url: 'https://tagged.example.com' },
  ],
  [
    'kms',
    'CreateKey',
    'kms:TagResource',
    { Tags: [{ TagKey: 'team', TagValue: 'red' }], BypassPolicyLockoutSafetyCheck: true },
  ],
  ['secretsmanager', 'CreateSecret', 'secretsmanager:TagResource', { ...IAM_TAGS, Name: 'tagged' }],
  ['events', 'PutRule', 'events:TagResource', { ...IAM_TAGS, Name: 'tagged', EventPattern: '{"source":["aws.ecr"]}' }],
  ['cloudwatch', 'PutMetricAlarm', 'cloudwatch:TagResource', { ...ALARM, ...IAM_TAGS, AlarmName: 'tagged' }],
] as const)('%s: what %s makes has tags by %s alone', async (name, operation, tagging, given) => {
  const documents = { PolicyDocument: POLICY, AssumeRolePolicyDocument: TRUST }
  const service = { ...named(name), given: () => ({ ...documents, ...given }), more: () => ({}) }
  const only = { Effect: 'Allow', Action: `${name}:${operation}`, Resource: '*' }
  await may(only, { ...only, NotAction: tagging, Action: undefined })
  expect(await ask(service, operation)).toContain(`not authorized to perform: ${tagging} on resource: arn:aws:${name}`)
  await may(only, { ...only, Action: tagging, Condition: { StringEquals: { 'aws:RequestTag/team': 'blue' } } })
  expect(await ask(service, operation)).toContain(`not authorized to perform: ${tagging} on resource: arn:aws:${name}`)
  await may(only, { ...only, Action: tagging, Condition: { StringEquals: { 'aws:RequestTag/team': 'red' } } })
  expect(await ask(service, operation)).toStartWith('200')
})

describe.each(SERVICES)('$name', (service) => {
  const { name, model, except = {} } = service
  const operations = Object.keys(model.operations).filter((operation) => !Object.hasOwn(except, operation))

  test.each(operations)('%s is denied without its permission, and not with exactly it', async (operation) => {
    const action = `${name}:${operation}`
    const refusal = `not authorized to perform: ${action} on resource: `
    await may()
    expect(await ask(service, operation)).toContain(refusal)
    await may({ Effect: 'Allow', NotAction: action, Resource: '*' })
    expect(await ask(service, operation)).toContain(refusal)
    await may(
      { Effect: 'Allow', Action: '*', Resource: '*' },
      { Effect: 'Deny', Action: action.toUpperCase(), Resource: '*' },
    )
    expect(await ask(service, operation)).toContain('with an explicit deny in an identity-based policy')
    await may({ Effect: 'Allow', Action: action, Resource: '*' })
    const answer = await ask(service, operation)
    // What the history tells is of refusals, too.
    if (!answer.startsWith('200')) expect(answer).not.toContain('not authorized')
    expect(answer).not.toStartWith('5')
  })
})
