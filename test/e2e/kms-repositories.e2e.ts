import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BatchGetImageCommand, CreateRepositoryCommand, DescribeRepositoriesCommand } from '@aws-sdk/client-ecr'
import {
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { type Docker, startDocker } from '../support/clients/docker.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { type Stage, useStage } from '../support/clients/stage.ts'
import { initializeTerraform } from '../support/clients/terraform-folder.ts'
import { missingBelow, servesEveryByte, wire } from '../support/clients/wire.ts'
import { buildImage, sha256, writeOciLayout } from '../support/image-builder.ts'
import { filesHolding } from '../support/plaintext-search.ts'
import { ecrClient } from '../support/start-registry.ts'

const TIMEOUT_MS = 240_000

const kmsClient = ({ url }: Stage) =>
  new KMSClient({
    endpoint: url,
    region: 'us-east-1',
    credentials: { accessKeyId: '000000000000', secretAccessKey: 'test' },
  })

describe('repositories with keys of KMS, and real clients', () => {
  const stage = useStage()
  let keyId: string
  const image = buildImage('kms')
  const reference = (name: string) => `${stage.host}/km/${name}`
  const kms = async (command: DisableKeyCommand | EnableKeyCommand) => {
    const client = kmsClient(stage)
    await client.send(command as DisableKeyCommand)
    client.destroy()
  }
  const crane = (...args: string[]) =>
    attempt([client('crane'), ...args, '--insecure'], { env: { DOCKER_CONFIG: stage.path('crane') } })

  beforeAll(async () => {
    const [ecr, kms] = [ecrClient(stage.url), kmsClient(stage)]
    keyId = (await kms.send(new CreateKeyCommand({}))).KeyMetadata?.KeyId ?? ''
    for (const [repositoryName, encryptionType] of [
      ['km/app', 'KMS'],
      ['km/docker', 'KMS'],
      ['km/twice', 'KMS_DSSE'],
    ] as const)
      await ecr.send(
        new CreateRepositoryCommand({ repositoryName, encryptionConfiguration: { encryptionType, kmsKey: keyId } }),
      )
    ecr.destroy()
    kms.destroy()
    await writeOciLayout(stage.path('image'), { v1: image })
  })

  testWith('crane')(
    'crane pushes, validates and pulls without changing a byte',
    async () => {
      const login = ['auth', 'login', stage.host, '-u', 'AWS', '-p', stage.password]
      expect((await crane(...login)).exitCode).toBe(0)
      expect((await crane('push', stage.path('image'), reference('app:v1'))).exitCode).toBe(0)
      expect((await crane('validate', '--remote', reference('app:v1'))).exitCode).toBe(0)
      await crane('pull', '--format', 'oci', reference('app:v1'), stage.path('pulled'))
      expect(await missingBelow(stage.path('pulled'), image)).toEqual([])
      expect(await servesEveryByte(stage, 'km/app', image)).toBe(true)
    },
    TIMEOUT_MS,
  )

  testWith('crane', 'skopeo')(
    'skopeo copies from one key to another way of using it',
    async () => {
      const skopeo = async (...args: string[]) =>
        run([...(await containersTool('skopeo', stage.dir)), '--insecure-policy', ...args])
      const credentials = `AWS:${stage.password}`
      await skopeo(
        'copy',
        ...[
          '--src-tls-verify=false',
          '--src-creds',
          credentials,
          '--dest-tls-verify=false',
          '--dest-creds',
          credentials,
        ],
        ...[`docker://${reference('app:v1')}`, `docker://${reference('twice:v1')}`],
      )
      expect(await servesEveryByte(stage, 'km/twice', image)).toBe(true)
    },
    TIMEOUT_MS,
  )

  const needed = ['docker', 'dockerd', 'busybox'] as const
  let docker: Docker | undefined
  beforeAll(async () => {
    if (hasClients(...needed)) docker = await startDocker({ dir: stage.path('docker') })
  }, 90_000)
  afterAll(() => docker?.stop(), 60_000)

  testWith(...needed)(
    'docker pushes, pulls and runs',
    async () => {
      if (docker === undefined) throw new Error('the engine did not start')
      await writeBuildContext(stage.path('context'), 'kms')
      const name = reference('docker:v1')
      await docker.run(['build', '-q', '-t', name, stage.path('context')])
      await docker.run(['login', '-u', 'AWS', '--password-stdin', stage.host], { input: stage.password })
      await docker.run(['push', name])
      await docker.run(['rmi', '-f', name])
      await docker.run(['pull', name])
      expect((await docker.run(['run', '--rm', '--network', 'none', name, 'world'])).trim()).toBe('hello world')

      await kms(new DisableKeyCommand({ KeyId: keyId }))
      await docker.run(['rmi', '-f', name])
      const refusal = await docker.failure(['pull', name])
      expect(refusal).toContain('denied')
      expect(refusal).toContain('is disabled')
      await kms(new EnableKeyCommand({ KeyId: keyId }))
      await docker.run(['pull', name])
    },
    TIMEOUT_MS,
  )

  testWith('crane')(
    'uploads are resumed, ranges read, and nothing lies on the disk in clear',
    async () => {
      const secret = 'nobody-may-read-these-words-on-the-disk'
      const content = Buffer.from(`${secret} `.repeat(20_000))
      const begun = await wire(stage, 'km/app/blobs/uploads/', { method: 'POST' })
      const place = `km/app/blobs/uploads/${begun.headers.get('docker-upload-uuid')}`
      for (const [from, to] of [
        [0, 100_000],
        [100_000, 100_001],
        [100_001, content.length],
      ] as const) {
        const headers = { 'content-range': `${from}-${to - 1}` }
        const answer = await wire(stage, place, { method: 'PATCH', headers, body: content.subarray(from, to) })
        expect([answer.status, answer.headers.get('range')]).toEqual([202, `0-${to - 1}`])
        expect(await filesHolding(stage.registry.dataDir, secret)).toEqual([])
      }
      expect((await wire(stage, `${place}?digest=${sha256(content)}`, { method: 'PUT' })).status).toBe(201)
      const range = { range: 'bytes=65530-131080' }
      const part = await wire(stage, `km/app/blobs/${sha256(content)}`, { headers: range })
      expect(part.status).toBe(206)
      expect(Buffer.from(await part.arrayBuffer()).equals(content.subarray(65_530, 131_081))).toBe(true)
      expect(await filesHolding(stage.registry.dataDir, secret)).toEqual([])
    },
    TIMEOUT_MS,
  )

  testWith('crane')(
    'a disabled key ends pushes and pulls, in words; an enabled one lets them go on',
    async () => {
      await kms(new DisableKeyCommand({ KeyId: keyId }))
      const pull = await crane('pull', reference('app:v1'), stage.path('none'))
      expect(pull.exitCode).not.toBe(0)
      expect(pull.stderr).toContain('is disabled')
      const push = await crane('push', stage.path('image'), reference('twice:v2'))
      expect(push.exitCode).not.toBe(0)
      expect(push.stderr).toContain('is disabled')
      const layer = image.layers[0]?.digest ?? ''
      for (const path of [`manifests/v1`, `blobs/${layer}`]) {
        const answer = await wire(stage, `km/app/${path}`)
        const { errors } = (await answer.json()) as { errors: readonly { code: string }[] }
        expect([answer.status, errors[0]?.code]).toEqual([403, 'DENIED'])
      }
      expect((await wire(stage, 'km/app/tags/list')).status).toBe(200)
      await kms(new EnableKeyCommand({ KeyId: keyId }))
      expect(await servesEveryByte(stage, 'km/app', image)).toBe(true)
    },
    TIMEOUT_MS,
  )

  testWith('crane')(
    'with the deleted key the content is gone for good, and the repository can still be deleted',
    async () => {
      const [ecr, keys] = [ecrClient(stage.url), kmsClient(stage)]
      await keys.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 7 }))
      await fetch(`${stage.url}/_ecru/clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds: 8 * 86_400 }) })
      const later = { ...stage, url: stage.url, password: await stage.registry.password() }
      const answer = await wire(later, 'km/app/manifests/v1')
      expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('does not exist')])
      const imageIds = [{ imageTag: 'v1' }]
      const { failures } = await ecr.send(new BatchGetImageCommand({ repositoryName: 'km/app', imageIds }))
      expect(failures?.map(({ failureCode }) => failureCode)).toEqual(['KmsError'])
      expect((await wire(later, `km/app/manifests/${image.manifest.digest}`, { method: 'DELETE' })).status).toBe(202)
      ecr.destroy()
      keys.destroy()
    },
    TIMEOUT_MS,
  )
})

describe('Terraform', () => {
  const stage = useStage({ memory: true })

  testWith('terraform', 'terraform-providers')(
    'makes a key and a repository with it, finds both as it left them, and takes them away',
    async () => {
      const folder = stage.path('kms')
      await mkdir(folder)
      await writeFile(join(folder, 'main.tf'), CONFIGURATION)
      const terraform = await initializeTerraform(folder, { variables: { endpoint: stage.url } })
      expect(await terraform.apply()).toBe('Apply complete! Resources: 5 added, 0 changed, 0 destroyed.')
      expect(await terraform.changes()).toBeUndefined()
      const { key_arn } = await terraform.output<{ key_arn: string }>()
      const ecr = ecrClient(stage.url)
      const { repositories = [] } = await ecr.send(new DescribeRepositoriesCommand({}))
      ecr.destroy()
      expect(repositories.map((one) => [one.repositoryName, one.encryptionConfiguration])).toEqual([
        ['own/default', { encryptionType: 'KMS', kmsKey: expect.stringContaining(':key/') }],
        ['own/key', { encryptionType: 'KMS', kmsKey: key_arn }],
      ])
      expect(await terraform.destroy()).toBe('Destroy complete! Resources: 5 destroyed.')
    },
    600_000,
  )
})

const CONFIGURATION = `
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }

provider "aws" {
  region                  = "us-east-1"
  access_key              = "000000000000"
  secret_key              = "test"
  skip_metadata_api_check = true
  endpoints {
    ecr = var.endpoint
    kms = var.endpoint
    sts = var.endpoint
  }
}

resource "aws_kms_key" "images" {
  description             = "images"
  deletion_window_in_days = 7
}

resource "aws_kms_alias" "images" {
  name          = "alias/images"
  target_key_id = aws_kms_key.images.key_id
}

resource "aws_ecr_repository" "own" {
  name         = "own/key"
  force_delete = true
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.images.arn
  }
}

resource "aws_ecr_repository" "default" {
  name         = "own/default"
  force_delete = true
  encryption_configuration { encryption_type = "KMS" }
}

resource "aws_ecr_repository_creation_template" "images" {
  prefix          = "made"
  applied_for     = ["PULL_THROUGH_CACHE"]
  custom_role_arn = "arn:aws:iam::000000000000:role/templates"
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.images.arn
  }
}

output "key_arn" { value = aws_kms_key.images.arn }
`
