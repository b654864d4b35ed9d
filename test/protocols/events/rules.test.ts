import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import * as eb from '@aws-sdk/client-eventbridge'
import { parseDestinations } from '../../../src/domain/eventbridge/destination.ts'
import { createEcr, type EcrFixture, refusalOf } from '../ecr/ecr-fixture.ts'

const OWNER = '123456789012'
const Name = 'pushes'
const EventPattern = '{"source":["aws.ecr"],"detail":{"action-type":["PUSH"]}}'
const ARN = `arn:aws:events:eu-west-3:${OWNER}:rule/${Name}`
const target = (Id: string, more: Partial<eb.Target> = {}) => ({
  Id,
  Arn: `arn:aws:ecru:eu-west-3:${OWNER}:event-target/log`,
  ...more,
})

let ecr: EcrFixture
let client: eb.EventBridgeClient
beforeEach(async () => {
  const table = { log: { kind: 'stdout' }, 'arn:aws:sqs:*': { kind: 'sqs', endpoint: 'http://127.0.0.1:9' } }
  ecr = await createEcr(undefined, { eventDestinations: parseDestinations(JSON.stringify(table)) })
  client = ecr.eventsOf(OWNER)
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const put = (more: Partial<eb.PutRuleCommandInput> = {}) =>
  client.send(new eb.PutRuleCommand({ Name, EventPattern, ...more }))
const describeRule = (more: Partial<eb.DescribeRuleCommandInput> = {}) =>
  client.send(new eb.DescribeRuleCommand({ Name, ...more }))
const putTargets = (...Targets: eb.Target[]) => client.send(new eb.PutTargetsCommand({ Rule: Name, Targets }))
const listTargets = async (more: Partial<eb.ListTargetsByRuleCommandInput> = {}) =>
  client.send(new eb.ListTargetsByRuleCommand({ Rule: Name, ...more }))
const tags = async () => (await client.send(new eb.ListTagsForResourceCommand({ ResourceARN: ARN }))).Tags

describe('a rule', () => {
  test('is put, described, replaced, and deleted', async () => {
    expect((await put({ Description: 'all', Tags: [{ Key: 'a', Value: 'b' }] })).RuleArn).toBe(ARN)
    const rule = { Name, Arn: ARN, EventPattern, State: 'ENABLED', EventBusName: 'default' }
    expect(await describeRule()).toMatchObject({ ...rule, Description: 'all', CreatedBy: OWNER })
    const bus = `arn:aws:events:eu-west-3:${OWNER}:event-bus/default`
    expect(await describeRule({ EventBusName: bus })).toMatchObject(rule)
    await put({ EventPattern: '{"source":["x"]}', State: 'DISABLED', RoleArn: 'arn:aws:iam::1:role/a' })
    const { Description, State, RoleArn } = await describeRule()
    expect([Description, State, RoleArn]).toEqual([undefined, 'DISABLED', 'arn:aws:iam::1:role/a'])
    expect(await tags()).toEqual([{ Key: 'a', Value: 'b' }])
    await client.send(new eb.EnableRuleCommand({ Name }))
    expect((await describeRule()).State).toBe('ENABLED')
    await client.send(new eb.DisableRuleCommand({ Name, EventBusName: 'default' }))
    expect((await describeRule()).State).toBe('DISABLED')
    await client.send(new eb.DeleteRuleCommand({ Name }))
    await client.send(new eb.DeleteRuleCommand({ Name }))
    expect(await refusalOf(describeRule())).toEqual([
      'ResourceNotFoundException',
      `Rule ${Name} does not exist on EventBus default.`,
    ])
  })

  test('that could not act is refused', async () => {
    expect(await refusalOf(put({ EventPattern: '{"source":"aws.ecr"}' }))).toEqual([
      'InvalidEventPatternException',
      'Event pattern is not valid. Reason: "source" must be an object or an array',
    ])
    const code = async (more: Partial<eb.PutRuleCommandInput>) => (await refusalOf(put(more)))[0]
    expect(await code({ EventPattern: undefined, ScheduleExpression: 'rate(5 minutes)' })).toBe('ValidationException')
    expect(await code({ EventPattern: undefined })).toBe('ValidationException')
    expect(await code({ State: 'ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS' })).toBe('ValidationException')
    expect(await code({ State: 'ON' as 'ENABLED' })).toBe('ValidationException')
    expect(await code({ Name: 'no spaces' })).toBe('ValidationException')
    expect(await code({ EventBusName: 'mine' })).toBe('ResourceNotFoundException')
    expect(await code({ Tags: [{ Key: 'aws:a', Value: 'b' }] })).toBe('ValidationException')
  })

  test('is listed by its name, in pages', async () => {
    for (const name of ['a1', 'a2', 'a3', 'b1']) await put({ Name: name })
    const list = (more: Partial<eb.ListRulesCommandInput> = {}) => client.send(new eb.ListRulesCommand(more))
    const first = await list({ NamePrefix: 'a', Limit: 2 })
    expect(first.Rules?.map((rule) => rule.Name)).toEqual(['a1', 'a2'])
    const second = await list({ NamePrefix: 'a', Limit: 2, NextToken: first.NextToken })
    expect([second.Rules?.map((rule) => rule.Name), second.NextToken]).toEqual([['a3'], undefined])
    expect((await list()).Rules).toHaveLength(4)
    expect((await refusalOf(list({ NextToken: 'mine' })))[0]).toBe('ValidationException')
  })

  test('has tags', async () => {
    await put({ Tags: [{ Key: 'a', Value: '1' }] })
    const Tags = [
      { Key: 'a', Value: '2' },
      { Key: 'b', Value: '3' },
    ]
    await client.send(new eb.TagResourceCommand({ ResourceARN: ARN, Tags }))
    expect(await tags()).toEqual(Tags)
    await client.send(new eb.UntagResourceCommand({ ResourceARN: ARN, TagKeys: ['a', 'none'] }))
    expect(await tags()).toEqual([{ Key: 'b', Value: '3' }])
    const none = client.send(new eb.ListTagsForResourceCommand({ ResourceARN: `${ARN}x` }))
    expect((await refusalOf(none))[0]).toBe('ResourceNotFoundException')
    const bad = client.send(new eb.ListTagsForResourceCommand({ ResourceARN: ARN.replace(OWNER, '999999999999') }))
    expect((await refusalOf(bad))[0]).toBe('ValidationException')
  })

  test('is of one account', async () => {
    await put()
    const stranger = ecr.eventsOf('999999999999').send(new eb.DescribeRuleCommand({ Name }))
    expect((await refusalOf(stranger))[0]).toBe('ResourceNotFoundException')
  })
})

describe('a target', () => {
  test('comes back as it was put', async () => {
    await put()
    const full = target('full', {
      RoleArn: 'arn:aws:iam::1:role/a',
      InputTransformer: { InputPathsMap: { tag: '$.detail.image-tag' }, InputTemplate: '{"tag": <tag>}' },
      DeadLetterConfig: { Arn: `arn:aws:sqs:eu-west-3:${OWNER}:dead` },
      RetryPolicy: { MaximumRetryAttempts: 3, MaximumEventAgeInSeconds: 60 },
      HttpParameters: {
        HeaderParameters: { 'x-a': 'b' },
        QueryStringParameters: { q: '1' },
        PathParameterValues: ['p'],
      },
      SqsParameters: { MessageGroupId: 'g' },
    })
    const webhook = target('hook', { Arn: `arn:aws:ecru:eu-west-3:${OWNER}:webhook/https://example.com:8443/a?b=c` })
    expect(await putTargets(full, webhook)).toMatchObject({ FailedEntryCount: 0, FailedEntries: [] })
    expect((await listTargets()).Targets).toEqual([full, webhook])
    const page = await listTargets({ Limit: 1 })
    expect([page.Targets?.length, page.NextToken]).toEqual([1, expect.any(String)])
    expect((await listTargets({ Limit: 1, NextToken: page.NextToken })).Targets).toEqual([webhook])
    expect((await refusalOf(client.send(new eb.DeleteRuleCommand({ Name }))))[1]).toContain('has targets')
    await client.send(new eb.RemoveTargetsCommand({ Rule: Name, Ids: ['full', 'hook', 'none'] }))
    expect((await listTargets()).Targets).toEqual([])
    await client.send(new eb.DeleteRuleCommand({ Name }))
  })

  test('that could not get anything is refused', async () => {
    await put()
    const refusal = (more: Partial<eb.Target>) => refusalOf(putTargets(target('t', more)))
    const arn = (resource: string, account = OWNER) => ({ Arn: `arn:aws:ecru:eu-west-3:${account}:${resource}` })
    for (const [more, reason] of [
      [{ Arn: 'nothing' }, 'not in correct format'],
      [{ Arn: `arn:aws:lambda:eu-west-3:${OWNER}:function:f` }, 'No destination is configured'],
      [arn('event-target/none'), 'no destination of that name'],
      [arn('event-target/arn:aws:sqs:*'), 'no destination of that name'],
      [arn('event-target/log', '999999999999'), 'another account'],
      [arn('webhook/ftp://example.com'), 'named by its URL'],
      [arn('webhook/https://me:secret@example.com'), 'must not hold credentials'],
      [{ DeadLetterConfig: { Arn: 'nothing' } }, 'DeadLetterConfig of target t'],
      [{ Input: '{}', InputPath: '$.detail' }, 'Only one of'],
      [{ Input: '{' }, 'JSON syntax error'],
      [{ InputTransformer: { InputTemplate: '<x>' } }, 'invalid placeholder x'],
      [{ KinesisParameters: { PartitionKeyPath: '$.id' } }, 'KinesisParameters of target t is not supported'],
      [{ RetryPolicy: { MaximumRetryAttempts: 186 } }, 'maximumRetryAttempts'],
    ] as const) {
      const [code, message] = await refusal(more)
      expect([code, message]).toEqual(['ValidationException', expect.stringMatching(new RegExp(reason, 'i'))])
    }
    expect((await listTargets()).Targets).toEqual([])
    await putTargets(...['1', '2', '3', '4', '5'].map((id) => target(id)))
    expect((await refusal({}))[0]).toBe('LimitExceededException')
    await client.send(new eb.RemoveTargetsCommand({ Rule: Name, Ids: ['1'] }))
    const none = client.send(new eb.PutTargetsCommand({ Rule: 'none', Targets: [target('t')] }))
    expect((await refusalOf(none))[0]).toBe('ResourceNotFoundException')
  })
})

describe('events of callers', () => {
  const entry = { Source: 'my.app', DetailType: 'built', Detail: '{"n": 1}' }
  const send = (...Entries: eb.PutEventsRequestEntry[]) => client.send(new eb.PutEventsCommand({ Entries }))

  test('are written down, each by itself', async () => {
    const at = new Date('2026-01-01T00:00:00Z')
    const answer = await send(
      { ...entry, Resources: ['arn:a'], Time: at },
      { ...entry, Detail: '[' },
      { ...entry, Source: 'aws.ecr' },
      { ...entry, Source: undefined },
      { ...entry, EventBusName: 'mine' },
    )
    expect(answer.FailedEntryCount).toBe(4)
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      undefined,
      'MalformedDetail',
      'NotAuthorizedForSourceException',
      'InvalidArgument',
      'ResourceNotFoundException',
    ])
    const { events } = await ecr.eventLog.read(0, 10)
    expect(events.map(({ event }) => event)).toEqual([
      {
        version: '0',
        id: answer.Entries?.[0]?.EventId ?? '',
        'detail-type': 'built',
        source: 'my.app',
        account: OWNER,
        time: '2026-01-01T00:00:00Z',
        region: 'eu-west-3',
        resources: ['arn:a'],
        detail: { n: 1 },
      },
    ])
    expect(events[0]?.event.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  })

  test('are not more than the service takes', async () => {
    const Detail = JSON.stringify({ text: 'x'.repeat(600_000) })
    expect((await refusalOf(send({ ...entry, Detail }, { ...entry, Detail })))[0]).toBe('ValidationException')
    expect((await refusalOf(send(...Array.from({ length: 11 }, () => entry))))[0]).toBe('ValidationException')
  })

  test('can be tried with a pattern', async () => {
    const event = {
      id: '1',
      account: OWNER,
      source: 's',
      time: 't',
      region: 'r',
      resources: [],
      'detail-type': 'd',
      detail: { a: 1 },
    }
    const tried = (pattern: string, document: object = event) =>
      client.send(new eb.TestEventPatternCommand({ EventPattern: pattern, Event: JSON.stringify(document) }))
    expect((await tried('{"detail":{"a":[1]}}')).Result).toBe(true)
    expect((await tried('{"detail":{"a":[2]}}')).Result).toBe(false)
    expect((await refusalOf(tried('{"detail":1}')))[0]).toBe('InvalidEventPatternException')
    expect((await refusalOf(tried('{"source":["s"]}', { source: 's' })))[0]).toBe('ValidationException')
  })
})
