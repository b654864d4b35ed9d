import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { dirname } from 'node:path'
import { DescribeRepositoriesCommand, GetLifecyclePolicyCommand, GetRepositoryPolicyCommand } from '@aws-sdk/client-ecr'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { type Docker, startDocker } from '../support/clients/docker.ts'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import type { TerraformFolder, TerraformVariables } from '../support/clients/terraform-folder.ts'
import { MODULES, openModule } from '../support/clients/terraform-modules.ts'
import { storedManifest } from '../support/clients/wire.ts'
import { ecrClient } from '../support/start-registry.ts'

const terraformClients = ['terraform', 'terraform-providers'] as const
const engineClients = ['aws', 'docker', 'dockerd', 'busybox'] as const
const test = testWith(...terraformClients)
const TIMEOUT_MS = 300_000

describe('Each module is valid by itself', () => {
  const stage = useStage()

  for (const module of ['ecr', 'repository', 'github-oidc'])
    test(
      `${module}: formatted, valid, and its own tests pass`,
      async () => {
        const terraform = await openModule(stage, module)
        await terraform.run('fmt', '-check', '-diff', '-recursive', `${MODULES}/${module}`)
        await terraform.run('validate')
        expect(await terraform.run('test')).toMatch(/^Success! [1-9]\d* passed, 0 failed\.$/m)
      },
      TIMEOUT_MS,
    )

  for (const [example, added] of [
    ['ecr/examples/basic', 4],
    ['ecr/examples/complete', 6],
    ['repository/examples/basic', 2],
  ] as const)
    test(
      `${example} is valid, applies as it stands, plans no change and is destroyed`,
      async () => {
        const terraform = await openModule(stage, example)
        await terraform.run('validate')
        expect(await terraform.apply()).toBe(`Apply complete! Resources: ${added} added, 0 changed, 0 destroyed.`)
        expect(await terraform.changes()).toBeUndefined()
        expect(await terraform.destroy()).toBe(`Destroy complete! Resources: ${added} destroyed.`)
      },
      TIMEOUT_MS,
    )

  test(
    'github-oidc/examples/basic is valid and can be planned',
    async () => {
      const terraform = await openModule(stage, 'github-oidc/examples/basic')
      await terraform.run('validate')
      const plan = await terraform.changes()
      expect(plan).toContain('aws_iam_openid_connect_provider.github[0] will be created')
      expect(plan).toContain('Plan: 5 to add, 0 to change, 0 to destroy.')
    },
    TIMEOUT_MS,
  )
})

const PROJECT = { project_name: 'shop', environment: 'dev' }

/** Inputs of the module `ecr`, what they become, and what the two applies sum up to. */
const COMBINATIONS: readonly {
  readonly name: string
  readonly inputs: TerraformVariables
  readonly added: number
  readonly update: TerraformVariables
  readonly updated: string
  readonly left: number
}[] = [
  {
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
    name: 'age alone; then forty-eight prefixes beside it',
    inputs: { repository_names: ['api'], max_image_count: null, image_retention_days: 60 },
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
    name: 'nothing; then one repository',
    inputs: { repository_names: [] },
    added: 0,
    update: { repository_names: ['api'], encryption_type: 'AES256' },
    updated: '2 added, 0 changed, 0 destroyed',
    left: 2,
  },
]

describe('The module ecr, whatever its inputs', () => {
  const stage = useStage()
  let opened: Promise<TerraformFolder> | undefined
  const open = () => {
    opened ??= openModule(stage, 'ecr')
    return opened
  }

  for (const { name, inputs, added, update, updated, left } of COMBINATIONS)
    test(
      name,
      async () => {
        const terraform = await open()
        const first = { ...PROJECT, ...inputs }
        const second = { ...PROJECT, ...update }
        expect(await terraform.apply(first)).toBe(`Apply complete! Resources: ${added} added, 0 changed, 0 destroyed.`)
        expect(await terraform.changes(first)).toBeUndefined()
        expect(await terraform.apply(second)).toBe(`Apply complete! Resources: ${updated}.`)
        expect(await terraform.changes(second)).toBeUndefined()
        expect(await terraform.destroy(second)).toBe(`Destroy complete! Resources: ${left} destroyed.`)
      },
      TIMEOUT_MS,
    )

  test(
    'options of other services are planned',
    async () => {
      const terraform = await open()
      const plan = await terraform.changes({
        ...PROJECT,
        repository_names: ['api'],
        encryption_type: 'KMS',
        kms_key_arn: 'arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555',
        replication_regions: ['eu-west-1'],
        registry_scanning_type: 'ENHANCED',
        public_repository_names: ['cli'],
      })
      for (const planned of [
        'aws_ecr_replication_configuration.this[0] will be created',
        'aws_ecr_registry_scanning_configuration.this[0] will be created',
        'aws_ecrpublic_repository.this["cli"] will be created',
        'Plan: 5 to add, 0 to change, 0 to destroy.',
      ])
        expect(plan).toContain(planned)
    },
    TIMEOUT_MS,
  )
})

interface Outputs {
  readonly repository_urls: Readonly<Record<string, string>>
  readonly repository_arns: Readonly<Record<string, string>>
  readonly docker_login_command: string
  readonly docker_commands: Readonly<
    Record<string, { readonly build: string; readonly tag: string; readonly push: string }>
  >
  readonly k8s_image_pull_secret: string
}

describe('What the module ecr answers can be used as it stands', () => {
  const stage = useStage()
  let terraform: TerraformFolder
  let outputs: Outputs
  let docker: Docker | undefined

  beforeAll(async () => {
    if (hasClients(...terraformClients, ...engineClients)) docker = await startDocker({ dir: stage.path('docker') })
  }, 90_000)
  afterAll(() => docker?.stop(), 60_000)

  test(
    'repositories, their lifecycle and their policies are there, by the names and ARNs that it answers',
    async () => {
      terraform = await openModule(stage, 'ecr/examples/complete')
      await terraform.apply({ image_tag_mutability: 'MUTABLE', force_delete: true })
      outputs = await terraform.output<Outputs>()
      expect(outputs.repository_urls).toEqual({
        api: `${stage.host}/shop-prod-api`,
        'team/worker': `${stage.host}/shop-prod-team/worker`,
      })
      expect(outputs.repository_arns).toEqual({
        api: 'arn:aws:ecr:us-east-1:000000000000:repository/shop-prod-api',
        'team/worker': 'arn:aws:ecr:us-east-1:000000000000:repository/shop-prod-team/worker',
      })

      const ecr = ecrClient(stage.url)
      const repositoryName = 'shop-prod-api'
      const { repositories = [] } = await ecr.send(new DescribeRepositoriesCommand({}))
      expect(repositories.map(({ repositoryArn = '' }) => repositoryArn).toSorted()).toEqual(
        Object.values(outputs.repository_arns).toSorted(),
      )
      expect(repositories[0]?.imageScanningConfiguration).toEqual({ scanOnPush: true })
      const { lifecyclePolicyText = '' } = await ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))
      expect(
        JSON.parse(lifecyclePolicyText).rules.map(({ selection }: { selection: object }) =>
          Object.values(selection).flat(),
        ),
      ).toEqual([
        [20, 'imageCountMoreThan', 'v', 'tagged'],
        [20, 'imageCountMoreThan', 'release-', 'tagged'],
        [5, 'imageCountMoreThan', 'untagged'],
        [90, 'sinceImagePushed', 'days', 'any'],
      ])
      const { policyText = '' } = await ecr.send(new GetRepositoryPolicyCommand({ repositoryName }))
      expect(JSON.parse(policyText).Statement.map(({ Sid }: { Sid: string }) => Sid)).toEqual(['Pull', 'Push'])
      ecr.destroy()
    },
    TIMEOUT_MS,
  )

  testWith(...terraformClients, ...engineClients)(
    'the login command and the commands of a service log in, build, tag and push',
    async () => {
      await writeBuildContext(stage.path('context'), 'terraform')
      const directories = (['aws', 'docker'] as const).map((name) => dirname(client(name)))
      const env = {
        ...stage.awsEnvironment,
        ...docker?.env,
        PATH: [...directories, process.env.PATH].join(':'),
      }
      const shell = (command: string) => run(['sh', '-c', command], { cwd: stage.path('context'), env })
      expect(await shell(outputs.docker_login_command)).toContain('Login Succeeded')
      for (const [name, { build, tag, push }] of Object.entries(outputs.docker_commands)) {
        for (const command of [build, tag, push]) await shell(command)
        expect((await storedManifest(stage, `shop-prod-${name}`, 'latest')).bytes.length).toBeGreaterThan(0)
      }
    },
    TIMEOUT_MS,
  )

  testWith(...terraformClients, 'aws')(
    'the command for Kubernetes gives kubectl the host and a password that opens it',
    async () => {
      // Stands for kubectl: the first call prints what it is given, the second passes it on.
      const kubectl = 'if [ "$1" = create ]; then printf "%s\\n" "$@"; else cat; fi'
      await Bun.write(stage.path('bin', 'kubectl'), `#!/bin/sh\n${kubectl}\n`)
      await run(['chmod', '+x', stage.path('bin', 'kubectl')])
      const env = {
        ...stage.awsEnvironment,
        PATH: [stage.path('bin'), dirname(client('aws')), process.env.PATH].join(':'),
      }
      const said = (await run(['sh', '-c', outputs.k8s_image_pull_secret], { env })).trim().split('\n')
      expect(said.slice(0, 5)).toEqual([
        'create',
        'secret',
        'docker-registry',
        'shop-prod-ecr',
        `--docker-server=${stage.host}`,
      ])
      const password = said
        .find((word) => word.startsWith('--docker-password='))
        ?.split('=')
        .slice(1)
        .join('=')
      const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
      expect((await fetch(`${stage.url}/v2/`, { headers: { authorization } })).status).toBe(200)
    },
    TIMEOUT_MS,
  )

  test(
    'destroying takes the images along, where it may',
    async () => {
      const variables = { image_tag_mutability: 'MUTABLE', force_delete: true }
      expect(await terraform.changes(variables)).toBeUndefined()
      expect(await terraform.destroy(variables)).toBe('Destroy complete! Resources: 6 destroyed.')
    },
    TIMEOUT_MS,
  )
})
