import { describe, expect } from 'bun:test'
import {
  CreateAccessKeyCommand,
  DeleteAccessKeyCommand,
  GetPolicyVersionCommand,
  GetUserCommand,
  IAMClient,
  ListUsersCommand,
} from '@aws-sdk/client-iam'
import { testWith } from '../support/clients/client-test.ts'
import { useStage } from '../support/clients/stage.ts'
import { openTerraform, type Terraform } from '../support/clients/terraform.ts'

const test = testWith('terraform', 'terraform-providers')
const TIMEOUT_MS = 600_000

const CHANGED = { team: 'blue', actions: ['ecr:BatchGetImage'], session_seconds: 7200, key_status: 'Inactive' }

describe('Terraform manages IAM, and finds it as it left it', () => {
  const stage = useStage()
  let terraform: Terraform
  const clientOf = (accessKeyId: string, secretAccessKey: string) =>
    new IAMClient({ endpoint: stage.url, region: 'us-east-1', credentials: { accessKeyId, secretAccessKey } })
  const root = () => clientOf('000000000000', 'test')

  test(
    'applies, and a second plan is empty',
    async () => {
      terraform = await openTerraform(stage, 'terraform-iam')
      expect(await terraform.apply()).toBe('Apply complete! Resources: 17 added, 0 changed, 0 destroyed.')
      expect(await terraform.changes()).toBeUndefined()
      const output = await terraform.output<{ key_id: string; key_secret: string }>()
      expect(output).toMatchObject({
        role_arn: 'arn:aws:iam::000000000000:role/ci/deploy',
        user_arn: 'arn:aws:iam::000000000000:user/robot',
        read_only: true,
      })
      // The key is real: it is robot's, who may not ask about himself.
      await expect(clientOf(output.key_id, output.key_secret).send(new GetUserCommand({}))).rejects.toThrow(
        'User: arn:aws:iam::000000000000:user/robot is not authorized to perform: iam:GetUser',
      )
    },
    TIMEOUT_MS,
  )

  test(
    'updates in place, and a plan after that is empty',
    async () => {
      expect(await terraform.apply(CHANGED)).toBe('Apply complete! Resources: 0 added, 8 changed, 0 destroyed.')
      expect(await terraform.changes(CHANGED)).toBeUndefined()
      const PolicyArn = 'arn:aws:iam::000000000000:policy/ci/pull'
      const { PolicyVersion } = await root().send(new GetPolicyVersionCommand({ PolicyArn, VersionId: 'v2' }))
      expect(decodeURIComponent(PolicyVersion?.Document ?? '')).toContain('"Action":"ecr:BatchGetImage"')
    },
    TIMEOUT_MS,
  )

  test(
    'imports what is there, and plans no change of it',
    async () => {
      const { key_id: AccessKeyId } = await terraform.output<{ key_id: string }>()
      await terraform.forget()
      // A key and the list of a group's members cannot be imported: they are made anew.
      await root().send(new DeleteAccessKeyCommand({ UserName: 'robot', AccessKeyId }))
      expect(await terraform.apply(CHANGED)).toStartWith('Apply complete! Resources: 15 imported, 2 added,')
      expect(await terraform.changes(CHANGED)).toBeUndefined()
    },
    TIMEOUT_MS,
  )

  test(
    'destroys everything, a user that has a key of which Terraform does not know included',
    async () => {
      await root().send(new CreateAccessKeyCommand({ UserName: 'ada' }))
      expect(await terraform.destroy(CHANGED)).toBe('Destroy complete! Resources: 17 destroyed.')
      expect((await root().send(new ListUsersCommand({}))).Users).toEqual([])
    },
    TIMEOUT_MS,
  )
})
