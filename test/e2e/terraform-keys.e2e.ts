import { describe, expect } from 'bun:test'
import { DescribeKeyCommand, GetKeyRotationStatusCommand, KMSClient, ListGrantsCommand } from '@aws-sdk/client-kms'
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager'
import { testWith } from '../support/clients/client-test.ts'
import { useStage } from '../support/clients/stage.ts'
import { openTerraform, type Terraform } from '../support/clients/terraform.ts'

const test = testWith('terraform', 'terraform-providers')
const TIMEOUT_MS = 600_000

const CHANGED = { team: 'blue', rotates: false, secret: 'second' }

interface Output {
  readonly key_arn: string
  readonly found_arn: string
  readonly repository_key: string
  readonly secret: string
}

describe('Terraform manages keys and secrets, and finds them as it left them', () => {
  const stage = useStage()
  let terraform: Terraform
  let KeyId: string
  const settings = () => ({
    endpoint: stage.url,
    region: 'us-east-1',
    credentials: { accessKeyId: '000000000000', secretAccessKey: 'test' },
  })

  test(
    'applies, and a second plan is empty',
    async () => {
      terraform = await openTerraform(stage, 'terraform-keys')
      expect(await terraform.apply()).toBe('Apply complete! Resources: 8 added, 0 changed, 0 destroyed.')
      expect(await terraform.changes()).toBeUndefined()
      const output = await terraform.output<Output>()
      KeyId = output.key_arn
      expect([output.found_arn, output.repository_key]).toEqual([KeyId, KeyId])
      expect(JSON.parse(output.secret)).toEqual({ username: 'me', accessToken: 'first' })
      const grants = await new KMSClient(settings()).send(new ListGrantsCommand({ KeyId }))
      // One that is named, and the two of the repository.
      expect(grants.Grants).toHaveLength(3)
    },
    TIMEOUT_MS,
  )

  test(
    'updates in place (a value is put anew), and a plan after that is empty',
    async () => {
      expect(await terraform.apply(CHANGED)).toStartWith('Apply complete!')
      expect(await terraform.changes(CHANGED)).toBeUndefined()
      const kms = new KMSClient(settings())
      expect((await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.Description).toBe('images of blue')
      expect((await kms.send(new GetKeyRotationStatusCommand({ KeyId }))).KeyRotationEnabled).toBe(false)
      expect(JSON.parse((await terraform.output<Output>()).secret).accessToken).toBe('second')
    },
    TIMEOUT_MS,
  )

  test(
    'destroys everything; the key goes at the end of its window',
    async () => {
      expect(await terraform.destroy(CHANGED)).toBe('Destroy complete! Resources: 8 destroyed.')
      const { KeyMetadata } = await new KMSClient(settings()).send(new DescribeKeyCommand({ KeyId }))
      expect(KeyMetadata?.KeyState).toBe('PendingDeletion')
      const secrets = await new SecretsManagerClient(settings()).send(new ListSecretsCommand({}))
      expect(secrets.SecretList).toEqual([])
    },
    TIMEOUT_MS,
  )
})
