import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { dirname } from 'node:path'
import { DescribeRepositoriesCommand, GetLifecyclePolicyCommand, GetRepositoryPolicyCommand } from '@aws-sdk/client-ecr'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { type Docker, startDocker } from '../support/clients/docker.ts'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import type { TerraformFolder } from '../support/clients/terraform-folder.ts'
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
    ['github-oidc/examples/basic', 5],
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
