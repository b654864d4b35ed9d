import { describe, expect } from 'bun:test'
import {
  DescribeRegistryCommand,
  DescribeRepositoriesCommand,
  GetRegistryScanningConfigurationCommand,
} from '@aws-sdk/client-ecr'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { testWith } from '../support/clients/client-test.ts'
import { useStage } from '../support/clients/stage.ts'
import type { TerraformFolder, TerraformVariables } from '../support/clients/terraform-folder.ts'
import { openModule } from '../support/clients/terraform-modules.ts'
import { ecrClient } from '../support/start-registry.ts'

const test = testWith('terraform', 'terraform-providers')
const TIMEOUT_MS = 300_000

const PROJECT = { project_name: 'shop', environment: 'dev' }

/** Inputs of a module, what they become, and what the two applies sum up to. */
const COMBINATIONS: readonly {
  readonly module: 'ecr' | 'repository'
  readonly name: string
  readonly inputs: TerraformVariables
  readonly added: number
  readonly update: TerraformVariables
  readonly updated: string
  readonly left: number
}[] = [
  {
    module: 'ecr',
    name: 'defaults; then tags that cannot be moved, no scans, resource tags',
    inputs: { repository_names: ['api', 'web'] },
    added: 4,
    update: {
      repository_names: ['api', 'web'],
      image_tag_mutability: 'IMMUTABLE',
      scan_on_push: false,
      tags: { team: 'red' },
    },
    updated: '0 added, 2 changed, 0 destroyed',
    left: 4,
  },
  {
    module: 'ecr',
    name: 'every lifecycle rule; then untagged images by age, and no age for others',
    inputs: {
      repository_names: ['api'],
      tag_prefixes: ['v', 'release-'],
      max_image_count: 10,
      image_retention_days: 60,
      max_untagged_images: 3,
    },
    added: 2,
    update: { repository_names: ['api'], tag_prefixes: ['release-', 'v'], max_image_count: 20 },
    updated: '1 added, 0 changed, 1 destroyed',
    left: 2,
  },
  {
    module: 'ecr',
    name: 'age alone; then forty-eight prefixes beside it',
    inputs: { repository_names: ['api'], image_retention_days: 60 },
    added: 2,
    update: {
      repository_names: ['api'],
      image_retention_days: 60,
      tag_prefixes: Array.from({ length: 48 }, (_, index) => `line${index}.`),
    },
    updated: '1 added, 0 changed, 1 destroyed',
    left: 2,
  },
  {
    module: 'ecr',
    name: 'access for accounts, pullers and pushers; then fewer, and more repositories',
    inputs: {
      repository_names: ['team/api'],
      cross_account_ids: ['111122223333', '444455556666'],
      pull_principal_arns: ['arn:aws:iam::777788889999:role/deployer'],
      push_principal_arns: ['arn:aws:iam::777788889999:role/builder', 'arn:aws:iam::777788889999:user/ada'],
    },
    added: 3,
    update: {
      repository_names: ['team/api', 'team/web'],
      push_principal_arns: ['arn:aws:iam::777788889999:role/builder'],
    },
    updated: '3 added, 1 changed, 0 destroyed',
    left: 6,
  },
  {
    module: 'ecr',
    name: 'a count and an age that one policy cannot have both of; then the age no longer',
    inputs: { repository_names: ['api'], max_image_count: 10, image_retention_days: 60, max_untagged_images: 3 },
    added: 2,
    update: { repository_names: ['api'], max_image_count: 10, max_untagged_images: 3 },
    updated: '1 added, 0 changed, 1 destroyed',
    left: 2,
  },
  {
    module: 'ecr',
    name: 'the registry-wide options; then other regions and scans',
    inputs: {
      repository_names: ['api'],
      replication_regions: ['eu-west-1', 'eu-central-1'],
      registry_scanning_type: 'ENHANCED',
    },
    added: 4,
    update: { repository_names: ['api'], replication_regions: ['eu-west-1'], registry_scanning_type: 'BASIC' },
    updated: '0 added, 2 changed, 0 destroyed',
    left: 4,
  },
  {
    module: 'ecr',
    name: 'a public repository; then KMS, with the key that AWS would manage',
    inputs: { repository_names: ['api'], public_repository_names: ['cli'], tags: { team: 'red' } },
    added: 3,
    update: { repository_names: ['api'], public_repository_names: ['cli', 'web'], encryption_type: 'KMS' },
    updated: '3 added, 1 changed, 2 destroyed',
    left: 4,
  },
  {
    module: 'ecr',
    name: 'nothing; then one repository',
    inputs: { repository_names: [] },
    added: 0,
    update: { repository_names: ['api'], encryption_type: 'AES256' },
    updated: '2 added, 0 changed, 0 destroyed',
    left: 2,
  },
  {
    module: 'repository',
    name: 'defaults; then fewer versions, tags that cannot be moved, resource tags',
    inputs: { name: 'team/app' },
    added: 2,
    update: {
      name: 'team/app',
      image_tag_mutability: 'IMMUTABLE',
      kept_versions: 5,
      version_tag_pattern: 'v*.*.*',
      tags: { team: 'red' },
    },
    updated: '1 added, 1 changed, 1 destroyed',
    left: 2,
  },
  {
    module: 'repository',
    name: 'defaults; then another encryption, which replaces it with its policy',
    inputs: { name: 'team/app' },
    added: 2,
    update: { name: 'team/app', encryption_type: 'KMS' },
    updated: '2 added, 0 changed, 2 destroyed',
    left: 2,
  },
  {
    module: 'repository',
    name: 'no scans; then another name, which replaces it',
    inputs: { name: 'team/app', scan_on_push: false, untagged_days: 1 },
    added: 2,
    update: { name: 'team/renamed', scan_on_push: false, untagged_days: 1, force_delete: true },
    updated: '2 added, 0 changed, 2 destroyed',
    left: 2,
  },
]

describe('Applied, changed and destroyed, whatever the inputs', () => {
  const stage = useStage()
  const opened = new Map<string, Promise<TerraformFolder>>()
  const open = (module: string) => {
    const folder = opened.get(module) ?? openModule(stage, module)
    opened.set(module, folder)
    return folder
  }

  for (const { module, name, inputs, added, update, updated, left } of COMBINATIONS)
    test(
      `${module}: ${name}`,
      async () => {
        const terraform = await open(module)
        const project = module === 'ecr' ? PROJECT : {}
        const first = { ...project, ...inputs }
        const second = { ...project, ...update }
        expect(await terraform.apply(first)).toBe(`Apply complete! Resources: ${added} added, 0 changed, 0 destroyed.`)
        expect(await terraform.changes(first)).toBeUndefined()
        expect(await terraform.apply(second)).toBe(`Apply complete! Resources: ${updated}.`)
        expect(await terraform.changes(second)).toBeUndefined()
        expect(await terraform.destroy(second)).toBe(`Destroy complete! Resources: ${left} destroyed.`)
      },
      TIMEOUT_MS,
    )

  test(
    'ecr: a key of KMS encrypts, the regions get copies, and the public repository is in the gallery',
    async () => {
      const terraform = await open('ecr')
      const credentials = { accessKeyId: '000000000000', secretAccessKey: 'test' }
      const kms = new KMSClient({ endpoint: stage.url, region: 'us-east-1', credentials })
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
      const keyArn = KeyMetadata?.Arn ?? ''
      kms.destroy()
      const inputs = {
        ...PROJECT,
        repository_names: ['api'],
        encryption_type: 'KMS',
        kms_key_arn: keyArn,
        replication_regions: ['eu-west-1'],
        registry_scanning_type: 'ENHANCED',
        public_repository_names: ['cli'],
      }
      expect(await terraform.apply(inputs)).toBe('Apply complete! Resources: 5 added, 0 changed, 0 destroyed.')
      expect(await terraform.changes(inputs)).toBeUndefined()

      const ecr = ecrClient(stage.url)
      const { repositories = [] } = await ecr.send(new DescribeRepositoriesCommand({}))
      expect(repositories.map((repository) => repository.encryptionConfiguration)).toEqual([
        { encryptionType: 'KMS', kmsKey: keyArn },
      ])
      const { replicationConfiguration } = await ecr.send(new DescribeRegistryCommand({}))
      expect(replicationConfiguration?.rules).toEqual([
        {
          destinations: [{ region: 'eu-west-1', registryId: '000000000000' }],
          repositoryFilters: [{ filter: 'shop-dev-', filterType: 'PREFIX_MATCH' }],
        },
      ])
      const { scanningConfiguration } = await ecr.send(new GetRegistryScanningConfigurationCommand({}))
      expect(scanningConfiguration).toEqual({
        scanType: 'ENHANCED',
        rules: [
          {
            scanFrequency: 'CONTINUOUS_SCAN',
            repositoryFilters: [{ filter: 'shop-dev-*', filterType: 'WILDCARD' }],
          },
        ],
      })
      ecr.destroy()
      const { public_repository_urls: urls } = await terraform.output<{ public_repository_urls: { cli: string } }>()
      expect(urls.cli).toEndWith('/shop-dev-cli')
      expect(await terraform.destroy(inputs)).toBe('Destroy complete! Resources: 5 destroyed.')
    },
    TIMEOUT_MS,
  )
})
