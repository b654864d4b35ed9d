import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import * as cw from '@aws-sdk/client-cloudwatch'
import { refusalOf } from '../ecr/ecr-fixture.ts'
import { type CloudWatchFixture, createCloudWatch, OWNER, PROTOCOLS, REGION } from './cloudwatch-fixture.ts'

const MINUTE_MS = 60_000
/** The SDK has a name of its own for it in some protocols. */
const VALIDATION = /^Validation(Error|Exception)$/
const Dimensions = [
  { Name: 'Type', Value: 'API' },
  { Name: 'Resource', Value: 'GetAuthorizationToken' },
  { Name: 'Service', Value: 'ECR' },
  { Name: 'Class', Value: 'None' },
]
const CALLS = { Namespace: 'AWS/Usage', MetricName: 'CallCount', Dimensions }
const ALARM = {
  AlarmName: 'many-logins',
  AlarmDescription: 'who logs in so often?',
  ...CALLS,
  Statistic: 'Sum' as const,
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 2.5,
  ComparisonOperator: 'GreaterThanThreshold' as const,
  TreatMissingData: 'notBreaching',
}

let fixture: CloudWatchFixture
beforeEach(async () => {
  fixture = await createCloudWatch()
})
afterEach(async () => {
  await fixture.app.close()
})

const minuteOf = (at: Date) => new Date(at.getTime() - (at.getTime() % MINUTE_MS))

describe.each(Object.keys(PROTOCOLS) as (keyof typeof PROTOCOLS)[])('by the protocol %s', (protocol) => {
  let client: cw.CloudWatchClient
  beforeEach(() => {
    client = fixture.clientOf(protocol)
  })
  const stateOf = async (name = ALARM.AlarmName) => {
    const { MetricAlarms } = await client.send(new cw.DescribeAlarmsCommand({ AlarmNames: [name] }))
    return MetricAlarms?.[0]
  }

  test('calls are counted by the minute, listed, and had as statistics and as data', async () => {
    const started = minuteOf(fixture.clock.now())
    await fixture.call(3)
    await fixture.advance(60)
    await fixture.call(2)
    const { Metrics } = await client.send(new cw.ListMetricsCommand({ Namespace: 'AWS/Usage' }))
    expect(Metrics).toHaveLength(1)
    expect(Metrics?.[0]).toMatchObject({ Namespace: 'AWS/Usage', MetricName: 'CallCount' })
    const filter = { Dimensions: [{ Name: 'Resource', Value: 'PutImage' }] }
    expect((await client.send(new cw.ListMetricsCommand(filter))).Metrics ?? []).toEqual([])
    const range = { StartTime: started, EndTime: new Date(started.getTime() + 5 * MINUTE_MS) }
    const statistics = new cw.GetMetricStatisticsCommand({
      ...CALLS,
      ...range,
      Period: 60,
      Statistics: ['Sum', 'Average'],
      ExtendedStatistics: ['p99'],
    })
    const { Datapoints = [], Label } = await client.send(statistics)
    expect(Label).toBe('CallCount')
    expect(Datapoints.map(({ Timestamp, Sum, Average }) => [Timestamp?.getTime(), Sum, Average])).toEqual([
      [started.getTime(), 3, 1],
      [started.getTime() + MINUTE_MS, 2, 1],
    ])
    expect(Datapoints[0]?.ExtendedStatistics).toEqual({ p99: 1 })
    const query = { Id: 'calls', MetricStat: { Metric: CALLS, Period: 300, Stat: 'Sum' } }
    const data = await client.send(new cw.GetMetricDataCommand({ ...range, MetricDataQueries: [query] }))
    expect(data.MetricDataResults).toMatchObject([
      { Id: 'calls', Label: 'CallCount', StatusCode: 'Complete', Values: [5] },
    ])
    const byMinute = { ...query, MetricStat: { ...query.MetricStat, Period: 60 } }
    const page = { ...range, MetricDataQueries: [byMinute], MaxDatapoints: 1 }
    const first = await client.send(new cw.GetMetricDataCommand(page))
    expect(first.MetricDataResults).toMatchObject([{ Values: [2], StatusCode: 'PartialData' }])
    const second = await client.send(new cw.GetMetricDataCommand({ ...page, NextToken: first.NextToken }))
    expect(second.MetricDataResults).toMatchObject([{ Values: [3], StatusCode: 'Complete' }])
    expect(second.NextToken).toBeUndefined()
    const stranger = await fixture.clientOf(protocol, '999999999999').send(new cw.ListMetricsCommand({}))
    expect(stranger.Metrics ?? []).toEqual([])
  })

  test('an alarm is kept, changed, shown as it is, tagged and deleted', async () => {
    await client.send(new cw.PutMetricAlarmCommand({ ...ALARM, Tags: [{ Key: 'team', Value: 'a' }] }))
    const alarm = await stateOf()
    const AlarmArn = `arn:aws:cloudwatch:${REGION}:${OWNER}:alarm:many-logins`
    const { TreatMissingData, Threshold, AlarmDescription } = ALARM
    expect(alarm).toMatchObject({ AlarmArn, TreatMissingData, Threshold, AlarmDescription, ActionsEnabled: true })
    expect(alarm?.StateValue).toBe('INSUFFICIENT_DATA')
    expect(alarm?.Dimensions).toEqual(Dimensions)
    expect(alarm?.StateUpdatedTimestamp).toBeInstanceOf(Date)
    await client.send(new cw.PutMetricAlarmCommand({ ...ALARM, Threshold: 9, AlarmDescription: undefined }))
    expect(await stateOf()).toMatchObject({ Threshold: 9 })
    expect((await stateOf())?.AlarmDescription).toBeUndefined()
    const tags = async () =>
      (await client.send(new cw.ListTagsForResourceCommand({ ResourceARN: AlarmArn }))).Tags ?? []
    expect(await tags()).toEqual([{ Key: 'team', Value: 'a' }])
    await client.send(new cw.TagResourceCommand({ ResourceARN: AlarmArn, Tags: [{ Key: 'b', Value: '' }] }))
    await client.send(new cw.UntagResourceCommand({ ResourceARN: AlarmArn, TagKeys: ['team'] }))
    expect(await tags()).toEqual([{ Key: 'b', Value: '' }])
    await client.send(new cw.DeleteAlarmsCommand({ AlarmNames: ['many-logins'] }))
    expect(await stateOf()).toBeUndefined()
    expect((await refusalOf(tags()))[0]).toBe('ResourceNotFoundException')
  })

  test('refusals have the names that clients know', async () => {
    const set = { AlarmName: 'none', StateValue: 'OK' as const, StateReason: 'x' }
    expect((await refusalOf(client.send(new cw.SetAlarmStateCommand(set))))[0]).toBe('ResourceNotFound')
    expect((await refusalOf(client.send(new cw.DeleteAlarmsCommand({ AlarmNames: ['none'] }))))[0]).toBe(
      'ResourceNotFound',
    )
    const Statistics = ['Sum' as const]
    const at = new Date(0)
    const statistics = new cw.GetMetricStatisticsCommand({
      ...CALLS,
      StartTime: at,
      EndTime: at,
      Period: 60,
      Statistics,
    })
    expect((await refusalOf(client.send(statistics)))[0]).toMatch(/^InvalidParameterValue(Exception)?$/)
    expect((await refusalOf(client.send(new cw.ListMetricsCommand({ NextToken: '!' }))))[0]).toMatch(
      /^InvalidNextToken/,
    )
    const actions = { ...ALARM, AlarmActions: ['arn:aws:sns:eu-west-3:123456789012:ops'] }
    const [code, message] = await refusalOf(client.send(new cw.PutMetricAlarmCommand(actions)))
    expect(code).toMatch(VALIDATION)
    expect(message).toContain(
      'Invalid alarm action arn:aws:sns:eu-west-3:123456789012:ops: No destination is configured',
    )
    const long = { ...ALARM, AlarmName: 'x'.repeat(256) }
    expect((await refusalOf(client.send(new cw.PutMetricAlarmCommand(long))))[0]).toMatch(VALIDATION)
  })

  test('it goes off and calms down by the clock of the registry, and rules of EventBridge are told', async () => {
    await client.send(new cw.PutMetricAlarmCommand(ALARM))
    await fixture.advance(60)
    expect(await stateOf()).toMatchObject({ StateValue: 'OK' })
    await fixture.call(3)
    await fixture.advance(60)
    const alarm = await stateOf()
    expect(alarm).toMatchObject({ StateValue: 'ALARM' })
    expect(alarm?.StateReason).toBe('Threshold Crossed: 1 datapoint(s) [3.0] was greater than the threshold (2.5).')
    expect(JSON.parse(alarm?.StateReasonData ?? '')).toMatchObject({ recentDatapoints: [3], threshold: 2.5 })
    const { MetricAlarms } = await client.send(new cw.DescribeAlarmsCommand({ StateValue: 'ALARM' }))
    expect(MetricAlarms?.map(({ AlarmName }) => AlarmName)).toEqual(['many-logins'])
    await fixture.advance(300)
    expect(await stateOf()).toMatchObject({ StateValue: 'OK' })
    const set = { AlarmName: ALARM.AlarmName, StateValue: 'ALARM' as const, StateReason: 'a drill' }
    await client.send(new cw.SetAlarmStateCommand(set))
    expect(await stateOf()).toMatchObject({ StateValue: 'ALARM', StateReason: 'a drill' })
    const data = client.send(new cw.SetAlarmStateCommand({ ...set, StateReasonData: '{' }))
    expect((await refusalOf(data))[0]).toMatch(/^InvalidFormat/)
    await fixture.advance(60)
    expect(await stateOf()).toMatchObject({ StateValue: 'OK' })
  })
})

test('alarms are listed page by page, by prefix and by names', async () => {
  const client = fixture.clientOf('cbor')
  for (const AlarmName of ['b1', 'a1', 'a2', 'a3'])
    await client.send(new cw.PutMetricAlarmCommand({ ...ALARM, AlarmName }))
  const list = async (input: cw.DescribeAlarmsCommandInput) => {
    const { MetricAlarms = [], NextToken } = await client.send(new cw.DescribeAlarmsCommand(input))
    return { names: MetricAlarms.map(({ AlarmName }) => AlarmName), NextToken }
  }
  const first = await list({ MaxRecords: 2, AlarmNamePrefix: 'a' })
  expect(first.names).toEqual(['a1', 'a2'])
  const second = await list({ MaxRecords: 2, AlarmNamePrefix: 'a', NextToken: first.NextToken })
  expect(second).toEqual({ names: ['a3'], NextToken: undefined })
  expect((await list({ AlarmNames: ['b1', 'none', 'a2'] })).names).toEqual(['b1', 'a2'])
  expect((await list({ AlarmTypes: ['CompositeAlarm'] })).names).toEqual([])
  expect((await list({ ActionPrefix: 'arn:aws:sns' })).names).toEqual([])
})

test('a metric named by a query is shown as one', async () => {
  const client = fixture.clientOf('cbor')
  const Metrics = [{ Id: 'm1', MetricStat: { Metric: CALLS, Period: 60, Stat: 'Sum' }, ReturnData: true }]
  const { Namespace: _n, MetricName: _m, Dimensions: _d, Statistic: _s, Period: _p, ...rest } = ALARM
  await client.send(new cw.PutMetricAlarmCommand({ ...rest, Metrics }))
  const { MetricAlarms } = await client.send(new cw.DescribeAlarmsCommand({}))
  expect(MetricAlarms?.[0]?.Metrics).toEqual(Metrics)
  expect(MetricAlarms?.[0]?.MetricName).toBeUndefined()
  await fixture.call(3)
  await fixture.advance(60)
  expect((await client.send(new cw.DescribeAlarmsCommand({}))).MetricAlarms?.[0]?.StateValue).toBe('ALARM')
})

const LOGINS: cw.MetricDataQuery = {
  Id: 'm1',
  MetricStat: { Metric: CALLS, Period: 60, Stat: 'Sum' },
  ReturnData: false,
}
/** The first is not returned; the second is the share that it has of ten. */
const MATH: cw.MetricDataQuery[] = [
  LOGINS,
  { Id: 'e1', Expression: 'FILL(m1, 0) / 10 * 100', Label: 'share', ReturnData: true },
]

test('an alarm on an expression goes off by its result, and is shown as it was put', async () => {
  const client = fixture.clientOf('cbor')
  const { Namespace: _n, MetricName: _m, Dimensions: _d, Statistic: _s, Period: _p, ...rest } = ALARM
  await client.send(new cw.PutMetricAlarmCommand({ ...rest, Metrics: MATH, Threshold: 25 }))
  const alarm = async () => (await client.send(new cw.DescribeAlarmsCommand({}))).MetricAlarms?.[0]
  expect((await alarm())?.Metrics).toEqual(MATH)
  expect((await alarm())?.Period).toBeUndefined()
  await fixture.advance(60)
  expect((await alarm())?.StateValue).toBe('OK')
  await fixture.call(3)
  await fixture.advance(60)
  expect(await alarm()).toMatchObject({
    StateValue: 'ALARM',
    StateReason: 'Threshold Crossed: 1 datapoint(s) [30.0] was greater than the threshold (25.0).',
  })
})

test('expressions of GetMetricData are evaluated over what was counted', async () => {
  const client = fixture.clientOf('json')
  await fixture.call(4)
  await fixture.advance(60)
  await fixture.call(2)
  const nowMs = fixture.clock.now().getTime()
  const data = async (MetricDataQueries: cw.MetricDataQuery[], more: Partial<cw.GetMetricDataCommandInput> = {}) => {
    const range = { StartTime: new Date(nowMs - 60_000), EndTime: new Date(nowMs + 180_000) }
    const input = { ...range, MetricDataQueries, ScanBy: 'TimestampAscending' as const, ...more }
    const { MetricDataResults = [] } = await client.send(new cw.GetMetricDataCommand(input))
    return MetricDataResults.map(({ Id, Label, Values }) => [Id, Label, Values])
  }
  expect(await data(MATH)).toEqual([['e1', 'share', [0, 40, 20, 0]]])
  const several = { Id: 'all', Expression: 'METRICS() * 2' }
  expect(await data([...MATH, several])).toEqual([
    ['e1', 'share', [0, 40, 20, 0]],
    ['all', 'all CallCount', [8, 4]],
  ])
  expect(await data([...MATH, several], { MaxDatapoints: 5 })).toEqual([
    ['e1', 'share', [0, 40, 20, 0]],
    ['all', 'all CallCount', [8]],
  ])
  for (const [expression, reason] of [
    ['m1 +', 'It ends where a value is expected'],
    ['nothing', 'There is no query nothing'],
    ['SUM(m1)', 'The result must be a time series'],
  ] as const) {
    const [code, message] = await refusalOf(data([LOGINS, { Id: 'x', Expression: expression }] as cw.MetricDataQuery[]))
    expect([code, message]).toEqual([
      expect.stringMatching(VALIDATION),
      `Error in expression 'x': ${reason}${message?.endsWith('them.') ? ', or an array of them' : ''}.`,
    ])
  }
  const long = { StartTime: new Date(nowMs - 400 * 86_400_000) }
  expect((await refusalOf(data(MATH, long)))[1]).toContain('100800 periods at once')
})

test.each([
  [
    'numbers',
    { Metrics: [LOGINS, { Id: 'e1', Expression: 'SUM(m1)' }] },
    "Error in expression 'e1': The result must be",
  ],
  [
    'several series',
    { Metrics: [LOGINS, { Id: 'e1', Expression: 'METRICS()' }] },
    'An alarm needs a single time series',
  ],
  ['searches', { Metrics: [{ Id: 'e1', Expression: "SEARCH('x', 'Sum')" }] }, 'There is no function SEARCH here'],
  [
    'two results',
    {
      Metrics: [LOGINS, { Id: 'm2', MetricStat: LOGINS.MetricStat }, ...MATH.slice(1)].map((query) => ({
        ...query,
        ReturnData: true,
      })),
    },
    'Exactly one element of the metrics list should return data.',
  ],
  [
    'different periods',
    { Metrics: [...MATH, { Id: 'm2', MetricStat: { Metric: CALLS, Period: 120, Stat: 'Sum' }, ReturnData: false }] },
    'must have the same period',
  ],
  ['neither', { Metrics: [{ Id: 'e1' }] }, 'must have either MetricStat or Expression'],
  ['anomalies', { ThresholdMetricId: 'ad1' }, 'Ecru detects no anomalies'],
  ['bands', { ComparisonOperator: 'GreaterThanUpperThreshold' as const }, 'ComparisonOperator must be one of'],
  ['parts of a minute', { Period: 10 }, 'Period must be a multiple of 60'],
  ['more than a day', { EvaluationPeriods: 1441 }, 'more than a day'],
  ['more of more', { DatapointsToAlarm: 2 }, 'DatapointsToAlarm must be'],
  ['strange treatments', { TreatMissingData: 'guess' }, 'TreatMissingData is not supported'],
])('alarms on %s are refused', async (_what, given, sentence) => {
  const send = (input: cw.PutMetricAlarmCommandInput) =>
    refusalOf(fixture.clientOf('json').send(new cw.PutMetricAlarmCommand(input)))
  const base =
    'Metrics' in given
      ? { AlarmName: 'a', EvaluationPeriods: 1, Threshold: 1, ComparisonOperator: ALARM.ComparisonOperator }
      : ALARM
  expect(await send({ ...base, ...given })).toEqual([
    expect.stringMatching(VALIDATION),
    expect.stringContaining(sentence),
  ])
})
