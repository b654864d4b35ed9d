import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CloudWatchClient, DescribeAlarmsCommand, ListTagsForResourceCommand } from '@aws-sdk/client-cloudwatch'
import { testWith } from '../support/clients/client-test.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { openTerraform, type Terraform } from '../support/clients/terraform.ts'

const test = testWith('terraform', 'terraform-providers')
const TIMEOUT_MS = 600_000
const CHANGED = { team: 'blue', threshold: 7 }

describe('Terraform manages alarms, and finds them as it left them', () => {
  let directory: string
  let stage: Stage
  let terraform: Terraform
  const client = () =>
    new CloudWatchClient({
      endpoint: stage.url,
      region: 'us-east-1',
      credentials: { accessKeyId: '000000000000', secretAccessKey: 'test' },
    })

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ecru-actions-'))
    const file = join(directory, 'targets.json')
    await writeFile(file, JSON.stringify({ 'arn:aws:sns:*': { kind: 'http', url: 'http://127.0.0.1:9/alarms' } }))
    stage = await openStage({ env: { ECRU_EVENTS_TARGETS: file } })
  }, TIMEOUT_MS)
  afterAll(async () => {
    await stage.close()
    await rm(directory, { recursive: true, force: true })
  }, TIMEOUT_MS)

  test(
    'applies, and a second plan is empty',
    async () => {
      terraform = await openTerraform(stage, 'terraform-metrics')
      expect(await terraform.apply()).toBe('Apply complete! Resources: 4 added, 0 changed, 0 destroyed.')
      expect(await terraform.changes()).toBeUndefined()
    },
    TIMEOUT_MS,
  )

  test(
    'updates in place, tags too, and a plan after that is empty',
    async () => {
      expect(await terraform.apply(CHANGED)).toBe('Apply complete! Resources: 0 added, 1 changed, 0 destroyed.')
      expect(await terraform.changes(CHANGED)).toBeUndefined()
      const { MetricAlarms } = await client().send(new DescribeAlarmsCommand({ AlarmNames: ['many-pulls'] }))
      expect(MetricAlarms?.[0]).toMatchObject({
        Threshold: 7,
        AlarmDescription: 'pulls that blue looks at',
        AlarmActions: ['arn:aws:sns:us-east-1:000000000000:blue'],
      })
      const { arn: ResourceARN } = await terraform.output<{ readonly arn: string }>()
      const { Tags } = await client().send(new ListTagsForResourceCommand({ ResourceARN }))
      expect(Tags).toContainEqual({ Key: 'team', Value: 'blue' })
    },
    TIMEOUT_MS,
  )

  test(
    'imports everything, and a plan after that is empty',
    async () => {
      await terraform.forget()
      expect(await terraform.apply(CHANGED)).toStartWith('Apply complete! Resources: 4 imported, 0 added,')
      expect(await terraform.changes(CHANGED)).toBeUndefined()
    },
    TIMEOUT_MS,
  )

  test(
    'destroys everything',
    async () => {
      expect(await terraform.destroy(CHANGED)).toBe('Destroy complete! Resources: 4 destroyed.')
      expect((await client().send(new DescribeAlarmsCommand({}))).MetricAlarms ?? []).toEqual([])
    },
    TIMEOUT_MS,
  )
})
