import { describe, expect } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type * as cw from '@aws-sdk/client-cloudwatch'
import { awsCli } from '../support/clients/aws-cli.ts'
import { client, testWith } from '../support/clients/client-test.ts'
import { run } from '../support/clients/run-command.ts'
import { openStage, useStage } from '../support/clients/stage.ts'
import { push } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'
import { loginPassword } from '../support/start-registry.ts'

const testPull = testWith('aws', 'crane')
const testAws = testWith('aws')
const testBoto3 = testWith('python-with-boto3')

describe('CloudWatch, by the AWS CLI', () => {
  const stage = useStage()
  const aws = () => awsCli(stage)
  const advance = async (advanceSeconds: number) => {
    const response = await fetch(`${stage.url}/_ecru/clock`, {
      method: 'POST',
      body: JSON.stringify({ advanceSeconds }),
    })
    expect(response.status).toBe(200)
  }
  const about = ['--namespace', 'AWS/ECR', '--metric-name', 'RepositoryPullCount']
  const dimensions = ['--dimensions', 'Name=RepositoryName,Value=team/app']

  testPull('pulls of a repository are counted, and an alarm on them goes off and calms down', async () => {
    await aws().json('ecr', 'create-repository', '--repository-name', 'team/app')
    await push(stage, 'team/app', buildImage('counted'), 'v1')
    const alarm = ['--alarm-name', 'pulled', ...about, ...dimensions, '--statistic', 'Sum', '--period', '60']
    const when = ['--evaluation-periods', '1', '--threshold', '1', '--comparison-operator', 'GreaterThanThreshold']
    await aws().text('cloudwatch', 'put-metric-alarm', ...alarm, ...when, '--treat-missing-data', 'notBreaching')
    const env = { DOCKER_CONFIG: stage.path('docker') }
    const input = await loginPassword(stage.url, '000000000000')
    await run([client('crane'), 'auth', 'login', stage.host, '-u', 'AWS', '--password-stdin'], { env, input })
    for (const target of ['one', 'two'])
      await run([client('crane'), 'pull', `${stage.host}/team/app:v1`, stage.path(target), '--insecure'], { env })
    await advance(60)
    const state = async () =>
      (await aws().json<cw.DescribeAlarmsOutput>('cloudwatch', 'describe-alarms', '--alarm-names', 'pulled'))
        .MetricAlarms?.[0]?.StateValue
    expect(await state()).toBe('ALARM')
    await advance(300)
    expect(await state()).toBe('OK')
    const listed = await aws().json<cw.ListMetricsOutput>('cloudwatch', 'list-metrics', ...about)
    expect(listed.Metrics).toEqual([
      {
        Namespace: 'AWS/ECR',
        MetricName: 'RepositoryPullCount',
        Dimensions: [{ Name: 'RepositoryName', Value: 'team/app' }],
      },
    ])
    const now = Date.now()
    const range = [
      '--start-time',
      new Date(now - 600_000).toISOString(),
      '--end-time',
      new Date(now + 600_000).toISOString(),
    ]
    const period = ['--period', '3600', '--statistics', 'Sum']
    const got = ['cloudwatch', 'get-metric-statistics', ...about, ...dimensions, ...range, ...period]
    const { Datapoints = [] } = await aws().json<cw.GetMetricStatisticsOutput>(...got)
    expect(Datapoints.reduce((sum, { Sum = 0 }) => sum + Sum, 0)).toBe(2)
    await aws().text('cloudwatch', 'delete-alarms', '--alarm-names', 'pulled')
    expect(await aws().failure('cloudwatch', 'delete-alarms', '--alarm-names', 'pulled')).toContain(
      '(ResourceNotFound)',
    )
  })

  testAws(
    'what becomes of an alarm on an expression is told by a rule and by its own action, though nobody listened at first',
    async () => {
      const calls = (resource: string) => ({
        Metric: {
          Namespace: 'AWS/Usage',
          MetricName: 'CallCount',
          Dimensions: ['Type=API', 'Service=ECR', 'Class=None', `Resource=${resource}`].map((text) => {
            const [Name, Value] = text.split('=')
            return { Name, Value }
          }),
        },
        Period: 60,
        Stat: 'Sum',
      })
      const Metrics = [
        { Id: 'logins', MetricStat: calls('GetAuthorizationToken'), ReturnData: false },
        { Id: 'pulls', MetricStat: calls('BatchGetImage'), ReturnData: false },
        { Id: 'all', Expression: 'SUM(METRICS())', ReturnData: false },
        { Id: 'share', Expression: 'IF(all > 0, 100 * FILL(logins, 0) / all, 0)', ReturnData: true },
      ]
      const alarm = {
        AlarmName: 'logins',
        Metrics,
        EvaluationPeriods: 1,
        Threshold: 60,
        ComparisonOperator: 'GreaterThanThreshold',
        TreatMissingData: 'notBreaching',
        AlarmActions: ['arn:aws:sns:us-east-1:000000000000:ops'],
      }
      const directory = await mkdtemp(join(tmpdir(), 'ecru-alarms-'))
      const told: { path: string; state: string }[] = []
      let isOpen = false
      const hook = Bun.serve({
        hostname: '127.0.0.1',
        port: 0,
        fetch: async (request) => {
          if (!isOpen) return new Response('not yet', { status: 503 })
          const { detail } = (await request.json()) as { detail: { state: { value: string } } }
          told.push({ path: new URL(request.url).pathname, state: detail.state.value })
          return new Response('ok')
        },
      })
      const targets = join(directory, 'targets.json')
      const url = `http://127.0.0.1:${hook.port}`
      await writeFile(targets, JSON.stringify({ 'arn:aws:sns:*': { kind: 'http', url: `${url}/action` } }))
      const env = { ECRU_EVENTS_TARGETS: targets, ECRU_EVENTS_ALLOW_PRIVATE: 'true', ECRU_EVENTS_ALLOW_HTTP: 'true' }
      const own = await openStage({ env })
      try {
        const cli = () => awsCli(own)
        const file = own.path('alarm.json')
        await writeFile(file, JSON.stringify(alarm))
        await cli().text('cloudwatch', 'put-metric-alarm', '--cli-input-json', `file://${file}`)
        const pattern = { source: ['aws.cloudwatch'], detail: { state: { value: ['ALARM'] } } }
        await cli().json('events', 'put-rule', '--name', 'alarms', '--event-pattern', JSON.stringify(pattern))
        const target = [{ Id: 'hook', Arn: `arn:aws:ecru:us-east-1:000000000000:webhook/${url}/rule` }]
        await cli().json('events', 'put-targets', '--rule', 'alarms', '--targets', JSON.stringify(target))
        const { Rules } = await cli().json<{ Rules: { Name: string }[] }>('events', 'list-rules')
        expect(Rules.map(({ Name }) => Name)).toEqual(['alarms'])
        await own.registry.password()
        const advance = (advanceSeconds: number) =>
          fetch(`${own.url}/_ecru/clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds }) })
        expect((await advance(60)).status).toBe(200)
        const { MetricAlarms } = await cli().json<cw.DescribeAlarmsOutput>('cloudwatch', 'describe-alarms')
        expect(MetricAlarms[0]).toMatchObject({ StateValue: 'ALARM', Metrics })
        isOpen = true
        for (const startedMs = performance.now(); told.length < 2; await Bun.sleep(20))
          if (performance.now() - startedMs > 60_000) throw new Error(`told alone: ${JSON.stringify(told)}`)
        expect(told.toSorted((a, b) => a.path.localeCompare(b.path)).slice(0, 2)).toEqual([
          { path: '/action', state: 'ALARM' },
          { path: '/rule', state: 'ALARM' },
        ])
      } finally {
        await own.close()
        await hook.stop(true)
        await rm(directory, { recursive: true, force: true })
      }
    },
  )

  testBoto3('boto3 reads data and keeps alarms', async () => {
    const script = `
import boto3, datetime, os
cw = boto3.client('cloudwatch', endpoint_url=os.environ['URL'], region_name='us-east-1',
    aws_access_key_id='000000000000', aws_secret_access_key='x')
cw.put_metric_alarm(AlarmName='b', Namespace='AWS/Usage', MetricName='CallCount', Statistic='Sum', Period=60,
    EvaluationPeriods=2, Threshold=1.5, ComparisonOperator='LessThanThreshold', Tags=[{'Key': 'a', 'Value': 'b'}])
alarm = cw.describe_alarms(AlarmNames=['b'])['MetricAlarms'][0]
assert alarm['Threshold'] == 1.5 and alarm['StateUpdatedTimestamp'].year >= 2024, alarm
assert cw.list_tags_for_resource(ResourceARN=alarm['AlarmArn'])['Tags'] == [{'Key': 'a', 'Value': 'b'}]
now = datetime.datetime.now(datetime.timezone.utc)
data = cw.get_metric_data(StartTime=now - datetime.timedelta(hours=1), EndTime=now + datetime.timedelta(hours=1),
    MetricDataQueries=[{'Id': 'q', 'MetricStat': {'Metric': {'Namespace': 'AWS/ECR', 'MetricName': 'RepositoryPullCount',
      'Dimensions': [{'Name': 'RepositoryName', 'Value': 'none'}]}, 'Period': 60, 'Stat': 'Sum'}}])
assert data['MetricDataResults'][0]['Values'] == [], data
try:
    cw.delete_alarms(AlarmNames=['b', 'none'])
except cw.exceptions.ResourceNotFound:
    cw.delete_alarms(AlarmNames=['b'])
print('done')
`
    const printed = await run([client('python-with-boto3'), '-c', script], { env: { URL: stage.url } })
    expect(printed.trim()).toBe('done')
  })
})
