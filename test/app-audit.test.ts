import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { detachedContext } from '../src/protocols/http/context.ts'

let directory: string
let app: App
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-audited-'))
  app = await createApp(readConfig({ ECRU_DATA_DIR: directory }).config, silentLogger)
})
afterEach(async () => {
  await app.close()
  await rm(directory, { recursive: true, force: true })
})

const TARGETS = {
  ecr: 'AmazonEC2ContainerRegistry_V20150921',
  events: 'AWSEvents',
  cloudtrail: 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101',
} as const

/** A call in the dev profile, as the root of an account. */
async function call(service: keyof typeof TARGETS, operation: string, input: object, account = '000000000000') {
  const headers = {
    host: 'localhost:4566',
    authorization: `AWS4-HMAC-SHA256 Credential=${account}/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`,
    'x-amz-date': '20260101T000000Z',
    'x-amz-target': `${TARGETS[service]}.${operation}`,
    'user-agent': 'test/1.0',
  }
  const request = new Request('http://localhost:4566/', { method: 'POST', headers, body: JSON.stringify(input) })
  const response = await app.handle(request, detachedContext({ remoteAddress: '192.0.2.7' }))
  return (await response.json()) as Record<string, unknown>
}

interface Event {
  readonly EventName: string
  readonly CloudTrailEvent: string
  readonly Username: string
  readonly ReadOnly: string
  readonly Resources: readonly { readonly ResourceType: string; readonly ResourceName: string }[]
}

async function history(input: object = {}, account?: string) {
  const answer = await call('cloudtrail', 'LookupEvents', input, account)
  const events = (answer.Events as readonly Event[]).filter(({ EventName }) => EventName !== 'LookupEvents')
  return { events, token: answer.NextToken as string | undefined }
}

async function password(): Promise<string> {
  const answer = await call('ecr', 'GetAuthorizationToken', {})
  const [{ authorizationToken }] = answer.authorizationData as [{ authorizationToken: string }]
  return authorizationToken
}

const lookedFor = (AttributeKey: string, AttributeValue: string) => ({
  LookupAttributes: [{ AttributeKey, AttributeValue }],
})

describe('every call is written down', () => {
  test('a change with who, what, from where, its answer, and what decided', async () => {
    await call('ecr', 'CreateRepository', { repositoryName: 'team/app' })
    const { events } = await history()
    expect(events).toHaveLength(1)
    const [event] = events
    const arn = 'arn:aws:ecr:us-east-1:000000000000:repository/team/app'
    expect(event).toMatchObject({ EventName: 'CreateRepository', Username: 'root', ReadOnly: 'false' })
    expect(event?.Resources).toEqual([{ ResourceType: 'AWS::ECR::Repository', ResourceName: arn }])
    expect(JSON.parse(event?.CloudTrailEvent ?? '')).toMatchObject({
      userIdentity: { type: 'Root', arn: 'arn:aws:iam::000000000000:root' },
      eventSource: 'ecr.amazonaws.com',
      awsRegion: 'us-east-1',
      sourceIPAddress: '192.0.2.7',
      userAgent: 'test/1.0',
      requestParameters: { repositoryName: 'team/app' },
      responseElements: { repository: { repositoryArn: arn } },
      additionalEventData: { decisions: [{ action: 'ecr:CreateRepository', outcome: 'allowed', by: 'account' }] },
      eventType: 'AwsApiCall',
      recipientAccountId: '000000000000',
    })
  })

  test('a read has no answer, a failure its error, and no secret is there', async () => {
    const token = await password()
    await call('ecr', 'DescribeRepositories', { repositoryNames: ['none'] })
    await call('ecr', 'CreateRepository', { repositoryName: 'UPPER' })
    const { events } = await history()
    const [invalid, failed, login] = events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent))
    expect(invalid).toMatchObject({ errorCode: 'InvalidParameterException', responseElements: null })
    expect(failed).toMatchObject({ errorCode: 'RepositoryNotFoundException', readOnly: true, responseElements: null })
    expect(login).toMatchObject({ eventName: 'GetAuthorizationToken', responseElements: null })
    expect(JSON.stringify(events)).not.toContain(token)
  })

  test('a pull is the calls of the API that it is', async () => {
    const authorization = `Basic ${await password()}`
    await call('ecr', 'CreateRepository', { repositoryName: 'app' })
    const get = (path: string, method = 'GET') =>
      app.handle(
        new Request(`http://localhost:4566/v2/${path}`, { method, headers: { authorization } }),
        detachedContext(),
      )
    await get('app/manifests/latest')
    await get(`app/blobs/sha256:${'0'.repeat(64)}`, 'HEAD')
    await get('app/tags/list')
    const { events } = await history()
    expect(events.map(({ EventName }) => EventName).slice(0, 3)).toEqual([
      'ListImages',
      'BatchCheckLayerAvailability',
      'BatchGetImage',
    ])
    expect(JSON.parse(events[2]?.CloudTrailEvent ?? '')).toMatchObject({
      requestParameters: { repositoryName: 'app', imageIds: [{ imageTag: 'latest' }] },
      errorCode: 'ImageNotFoundException',
    })
  })

  test('whoever is refused in another account is in both trails', async () => {
    await call('ecr', 'CreateRepository', { repositoryName: 'app' })
    await call('ecr', 'DescribeImages', { registryId: '000000000000', repositoryName: 'app' }, '999999999999')
    for (const account of ['000000000000', '999999999999']) {
      const { events } = await history(lookedFor('EventName', 'DescribeImages'), account)
      expect(events).toHaveLength(1)
      expect(JSON.parse(events[0]?.CloudTrailEvent ?? '')).toMatchObject({
        errorCode: 'AccessDeniedException',
        recipientAccountId: account,
        userIdentity: { accountId: '999999999999' },
        additionalEventData: { decisions: [{ outcome: 'not-allowed' }] },
      })
    }
    expect((await history({}, '111122223333')).events).toEqual([])
  })
})

describe('what operators have done is written down', () => {
  const operate = (path: string, facts: Parameters<typeof detachedContext>[0] = {}) =>
    app.handle(new Request(`http://localhost:4566/_ecru/${path}`, { method: 'POST' }), detachedContext(facts))

  test('with what it was told, and without what it answered', async () => {
    const answer = await operate('admin/account/create?account=111122223333')
    const { secretAccessKey } = (await answer.json()) as { readonly secretAccessKey: string }
    await operate('admin/token/revoke?id=none')
    await operate('gc?dryRun=true')
    await operate('admin/account/list')
    const { events } = await history()
    expect(events.map(({ EventName, ReadOnly }) => [EventName, ReadOnly])).toEqual([
      ['AdminAccountList', 'true'],
      ['Gc', 'false'],
      ['AdminTokenRevoke', 'false'],
      ['AdminAccountCreate', 'false'],
    ])
    const [, , failed, made] = events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent))
    expect(made).toMatchObject({
      eventSource: 'ecru',
      requestParameters: { account: '111122223333' },
      responseElements: null,
      sourceIPAddress: '127.0.0.1',
    })
    expect(failed).toMatchObject({ requestParameters: { id: 'none' }, errorCode: 'InvalidParameterException' })
    expect(secretAccessKey.length).toBeGreaterThan(20)
    expect(JSON.stringify(events)).not.toContain(secretAccessKey)
  })

  test('on the data directory itself, too', async () => {
    const given = { account: '111122223333' }
    const { secretAccessKey } = (await app.administer('account/create', given)) as { readonly secretAccessKey: string }
    const { events } = await history(lookedFor('EventName', 'AdminAccountCreate'))
    const [made] = events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent))
    expect(made).toMatchObject({ userIdentity: { invokedBy: 'AWS Internal' }, serviceEventDetails: given })
    expect(JSON.stringify(events)).not.toContain(secretAccessKey)
  })

  test('and what strangers have tried', async () => {
    expect((await operate('admin/root/rotate', { isLoopback: false, remoteAddress: '192.0.2.8' })).status).toBe(400)
    const { events } = await history(lookedFor('EventName', 'AdminRootRotate'))
    expect(events.map(({ CloudTrailEvent }) => JSON.parse(CloudTrailEvent))).toMatchObject([
      {
        userIdentity: { type: 'Unknown' },
        sourceIPAddress: '192.0.2.8',
        errorCode: 'MissingAuthenticationTokenException',
      },
    ])
  })
})

describe('the history', () => {
  beforeEach(async () => {
    for (const repositoryName of ['aa', 'bb', 'cc']) await call('ecr', 'CreateRepository', { repositoryName })
    await call('ecr', 'DeleteRepository', { repositoryName: 'bb' })
  })

  test.each([
    ['EventName', 'DeleteRepository', 1],
    ['EventName', 'Delete', 0],
    ['EventSource', 'ecr.amazonaws.com', 4],
    ['ReadOnly', 'true', 0],
    ['Username', 'root', 4],
    ['AccessKeyId', '000000000000', 4],
    ['ResourceName', 'arn:aws:ecr:us-east-1:000000000000:repository/bb', 2],
    ['ResourceType', 'AWS::ECR::Repository', 4],
    ['ResourceType', 'AWS::KMS::Key', 0],
  ])('is searched by %s %s', async (key, value, count) => {
    expect((await history(lookedFor(key, value))).events).toHaveLength(count)
  })

  test('pages, newest first, and keeps to the time that is asked about', async () => {
    const names: string[] = []
    let NextToken: string | undefined
    do {
      const page = await history({ ...lookedFor('EventSource', 'ecr.amazonaws.com'), MaxResults: 2, NextToken })
      names.push(...page.events.map(({ EventName }) => EventName))
      NextToken = page.token
    } while (NextToken !== undefined)
    expect(names).toEqual(['DeleteRepository', 'CreateRepository', 'CreateRepository', 'CreateRepository'])
    const seconds = (date: string) => new Date(date).getTime() / 1000
    expect((await history({ EndTime: seconds('2020-01-01') })).events).toEqual([])
    expect((await history({ StartTime: seconds('2099-01-01') })).events).toEqual([])
  })

  test('says what is wrong with a question', async () => {
    const refusal = async (input: object) => (await call('cloudtrail', 'LookupEvents', input)).__type
    expect(await refusal({ StartTime: 2, EndTime: 1 })).toBe('InvalidTimeRangeException')
    expect(await refusal({ NextToken: 'x' })).toBe('InvalidNextTokenException')
    expect(await refusal(lookedFor('Colour', 'red'))).toBe('InvalidLookupAttributesException')
  })

  test('survives a restart, and is whole', async () => {
    await app.close()
    app = await createApp(readConfig({ ECRU_DATA_DIR: directory }).config, silentLogger)
    expect((await history()).events).toHaveLength(4)
    expect(await app.verifyAudit()).toMatchObject({ isIntact: true, faults: [] })
  })

  test('of a policy’s execution tells the rules and what became of the images', async () => {
    const rule = { rulePriority: 1, selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 } }
    const text = JSON.stringify({ rules: [{ ...rule, action: { type: 'expire' } }] })
    await call('ecr', 'PutLifecyclePolicy', { repositoryName: 'aa', lifecyclePolicyText: text })
    await app.runLifecycle('all')
    const { events } = await history(lookedFor('EventName', 'PolicyExecutionEvent'))
    expect(JSON.parse(events[0]?.CloudTrailEvent ?? '')).toMatchObject({
      eventType: 'AwsServiceEvent',
      userIdentity: { accountId: '000000000000', invokedBy: 'AWS Internal' },
      serviceEventDetails: {
        repositoryName: 'aa',
        lifecycleEventPolicy: {
          lifecycleEventRules: [
            {
              rulePriority: 1,
              lifecycleEventSelection: { tagStatus: 'Any', countType: 'Image count more than', countNumber: 1 },
              action: 'expire',
            },
          ],
        },
      },
    })
  })
})

test('with the audit off nothing is written, and the history is empty', async () => {
  await app.close()
  const config = { ...readConfig({ ECRU_DATA_DIR: directory, ECRU_AUDIT: 'false' }).config }
  app = await createApp(config, silentLogger)
  await call('ecr', 'CreateRepository', { repositoryName: 'a' })
  expect((await history()).events).toEqual([])
})

test('where events go is written down without what opens the door there', async () => {
  await call('events', 'PutRule', { Name: 'all', EventPattern: '{"source":["aws.ecr"]}' })
  const Arn = 'arn:aws:ecru:us-east-1:000000000000:webhook/https://hooks.example.com/T0/path-secret?token=query-secret'
  const HttpParameters = {
    HeaderParameters: { authorization: 'Bearer header-secret' },
    QueryStringParameters: { key: 'parameter-secret' },
  }
  expect(await call('events', 'PutTargets', { Rule: 'all', Targets: [{ Id: 'hook', Arn, HttpParameters }] })).toEqual({
    FailedEntryCount: 0,
    FailedEntries: [],
  })
  const { events } = await history(lookedFor('EventName', 'PutTargets'))
  const text = events.map(({ CloudTrailEvent }) => CloudTrailEvent).join()
  expect(text).toContain('webhook/https://hooks.example.com/…')
  expect(text).toContain('"authorization":"HIDDEN_DUE_TO_SECURITY_REASONS"')
  expect(text).not.toContain('secret')
})
