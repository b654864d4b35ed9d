import { describe, expect } from 'bun:test'
import {
  DescribeRepositoriesCommand,
  DescribeRepositoryCreationTemplatesCommand,
  GetLifecyclePolicyCommand,
  GetRegistryPolicyCommand,
  GetRepositoryPolicyCommand,
  ListTagsForResourceCommand,
} from '@aws-sdk/client-ecr'
import { testWith } from '../support/clients/client-test.ts'
import { useStage } from '../support/clients/stage.ts'
import { openTerraform, type Terraform } from '../support/clients/terraform.ts'
import { push } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'
import { ecrClient } from '../support/start-registry.ts'

const test = testWith('terraform', 'terraform-providers')
const TIMEOUT_MS = 600_000

const CHANGED = {
  image_tag: 'v1',
  kept_versions: 20,
  mutability: 'IMMUTABLE',
  pull_actions: ['ecr:BatchGetImage'],
  scan_on_push: false,
  team: 'blue',
}

describe('Terraform manages what Ecru holds, and finds it as it left it', () => {
  const stage = useStage()
  let terraform: Terraform
  const image = buildImage('terraform')

  test(
    'applies, and a second plan is empty',
    async () => {
      terraform = await openTerraform(stage)
      expect(await terraform.apply()).toBe('Apply complete! Resources: 13 added, 0 changed, 0 destroyed.')
      expect(await terraform.changes()).toBeUndefined()
      expect(await terraform.output()).toMatchObject({
        account: '000000000000',
        names: ['team/app', 'team/plain'],
        repository_url: `${stage.host}/team/app`,
        proxy_endpoint: stage.url,
        gallery_uri: expect.stringMatching(/^public\.ecr\.aws\/[a-z][a-z0-9]{7}\/team\/gallery$/),
      })
    },
    TIMEOUT_MS,
  )

  test(
    'updates in place (a lifecycle policy is replaced), and a plan after that is empty',
    async () => {
      await push(stage, 'team/app', image, 'v1')
      expect(await terraform.apply(CHANGED)).toBe('Apply complete! Resources: 1 added, 7 changed, 1 destroyed.')
      expect(await terraform.changes(CHANGED)).toBeUndefined()
      expect(await terraform.output()).toMatchObject({ image_digest: image.manifest.digest })

      const ecr = ecrClient(stage.url)
      const { repositories = [] } = await ecr.send(new DescribeRepositoriesCommand({ repositoryNames: ['team/app'] }))
      expect(repositories[0]).toMatchObject({
        imageTagMutability: 'IMMUTABLE',
        imageScanningConfiguration: { scanOnPush: false },
      })
      const { tags } = await ecr.send(new ListTagsForResourceCommand({ resourceArn: repositories[0]?.repositoryArn }))
      expect(tags).toEqual([
        { Key: 'managed-by', Value: 'terraform' },
        { Key: 'team', Value: 'blue' },
      ])
      const { policyText = '' } = await ecr.send(new GetRepositoryPolicyCommand({ repositoryName: 'team/app' }))
      expect(JSON.parse(policyText).Statement[0].Action).toBe('ecr:BatchGetImage')
      const { policyText: ofRegistry = '' } = await ecr.send(new GetRegistryPolicyCommand())
      expect(JSON.parse(ofRegistry).Statement[0].Action).toEqual(['ecr:ReplicateImage', 'ecr:BatchGetImage'])
      const { lifecyclePolicyText = '' } = await ecr.send(new GetLifecyclePolicyCommand({ repositoryName: 'team/app' }))
      expect(JSON.parse(lifecyclePolicyText).rules[0].selection.countNumber).toBe(20)
      const prefixes = { prefixes: ['pushed'] }
      const templates = await ecr.send(new DescribeRepositoryCreationTemplatesCommand(prefixes))
      expect(templates.repositoryCreationTemplates?.[0]).toMatchObject({
        description: 'for the first push by blue',
        imageTagMutability: 'IMMUTABLE',
        resourceTags: [{ Key: 'team', Value: 'blue' }],
      })
      ecr.destroy()
    },
    TIMEOUT_MS,
  )

  test(
    'imports everything, and a plan after that is empty',
    async () => {
      await terraform.forget()
      expect(await terraform.apply(CHANGED)).toStartWith('Apply complete! Resources: 13 imported, 0 added,')
      expect(await terraform.changes(CHANGED)).toBeUndefined()
    },
    TIMEOUT_MS,
  )

  test(
    'destroys everything, images included where it may',
    async () => {
      expect(await terraform.destroy(CHANGED)).toBe('Destroy complete! Resources: 13 destroyed.')
      const ecr = ecrClient(stage.url)
      expect((await ecr.send(new DescribeRepositoriesCommand())).repositories).toEqual([])
      expect((await ecr.send(new DescribeRepositoryCreationTemplatesCommand())).repositoryCreationTemplates).toEqual([])
      ecr.destroy()
    },
    TIMEOUT_MS,
  )
})
