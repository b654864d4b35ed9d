import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBridgeClient, ListRulesCommand, ListTargetsByRuleCommand } from '@aws-sdk/client-eventbridge'
import { testWith } from '../support/clients/client-test.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { openTerraform, type Terraform } from '../support/clients/terraform.ts'

const test = testWith('terraform', 'terraform-providers')
const TIMEOUT_MS = 600_000
const CHANGED = { state: 'DISABLED', repository: 'live/' }

describe('Terraform manages rules of EventBridge, and finds them as it left them', () => {
  let directory: string
  let stage: Stage
  let terraform: Terraform
  let client: EventBridgeClient

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ecru-destinations-'))
    const file = join(directory, 'targets.json')
    const table = { log: { kind: 'stdout' }, 'arn:aws:sqs:*': { kind: 'sqs', endpoint: 'http://127.0.0.1:9' } }
    await writeFile(file, JSON.stringify(table))
    stage = await openStage({ env: { ECRU_EVENTS_TARGETS: file } })
    const credentials = { accessKeyId: '000000000000', secretAccessKey: 'test' }
    client = new EventBridgeClient({ endpoint: stage.url, region: 'us-east-1', credentials })
  }, TIMEOUT_MS)
  afterAll(async () => {
    client.destroy()
    await stage.close()
    await rm(directory, { recursive: true, force: true })
  }, TIMEOUT_MS)

  test(
    'applies, and a second plan is empty',
    async () => {
      terraform = await openTerraform(stage, 'terraform-events')
      expect(await terraform.apply()).toBe('Apply complete! Resources: 3 added, 0 changed, 0 destroyed.')
      expect(await terraform.changes()).toBeUndefined()
      const { Targets } = await client.send(new ListTargetsByRuleCommand({ Rule: 'pushes' }))
      expect(Targets?.map(({ Id }) => Id)).toEqual(['hook', 'log'])
    },
    TIMEOUT_MS,
  )

  test(
    'updates in place, and a plan after that is empty',
    async () => {
      expect(await terraform.apply(CHANGED)).toBe('Apply complete! Resources: 0 added, 1 changed, 0 destroyed.')
      expect(await terraform.changes(CHANGED)).toBeUndefined()
      const { Rules } = await client.send(new ListRulesCommand({}))
      expect(Rules).toMatchObject([
        { Name: 'pushes', State: 'DISABLED', EventPattern: expect.stringContaining('live/') },
      ])
    },
    TIMEOUT_MS,
  )

  test(
    'imports everything, and a plan after that is empty',
    async () => {
      await terraform.forget()
      expect(await terraform.apply(CHANGED)).toStartWith('Apply complete! Resources: 3 imported, 0 added,')
      expect(await terraform.changes(CHANGED)).toBeUndefined()
    },
    TIMEOUT_MS,
  )

  test(
    'destroys everything',
    async () => {
      expect(await terraform.destroy(CHANGED)).toBe('Destroy complete! Resources: 3 destroyed.')
      expect((await client.send(new ListRulesCommand({}))).Rules).toEqual([])
    },
    TIMEOUT_MS,
  )
})
