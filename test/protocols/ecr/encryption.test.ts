import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import * as ecrSdk from '@aws-sdk/client-ecr'
import * as kms from '@aws-sdk/client-kms'
import { parseTag } from '../../../src/domain/names.ts'
import { admin, pushImage, refTo, registry } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const OWNER = '123456789012'
const SERVICE = 'ecr.eu-west-3.amazonaws.com'
const repositoryName = 'team/app'
const ARN = `arn:aws:ecr:eu-west-3:${OWNER}:repository/${repositoryName}`

let ecr: EcrFixture
let keyArn: string
beforeEach(async () => {
  ecr = await createEcr()
  keyArn = await newKey()
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

async function newKey(input: kms.CreateKeyCommandInput = {}): Promise<string> {
  return (await ecr.kms.send(new kms.CreateKeyCommand(input))).KeyMetadata?.Arn ?? ''
}

async function create(kmsKey?: string, encryptionType: 'KMS' | 'KMS_DSSE' = 'KMS', client = ecr.client) {
  const encryptionConfiguration = { encryptionType, kmsKey }
  const answer = await client.send(new ecrSdk.CreateRepositoryCommand({ repositoryName, encryptionConfiguration }))
  return answer.repository?.encryptionConfiguration
}

const remove = (force = true) => ecr.client.send(new ecrSdk.DeleteRepositoryCommand({ repositoryName, force }))

/** Why KMS refuses what ECR was asked for. */
async function kmsErrorOf(answer: Promise<unknown>): Promise<string | undefined> {
  const thrown = await answer.then(
    () => undefined,
    (error: unknown) => error,
  )
  return thrown instanceof ecrSdk.KmsException ? thrown.kmsError : String(thrown)
}

const grants = async (KeyId = keyArn) => (await ecr.kms.send(new kms.ListGrantsCommand({ KeyId }))).Grants ?? []

describe('a repository with a key of KMS', () => {
  test('shows the ARN of the key, however it was named', async () => {
    await ecr.kms.send(new kms.CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: keyArn }))
    const id = keyArn.slice(keyArn.lastIndexOf('/') + 1)
    for (const named of [keyArn, id, 'alias/app', keyArn.replace(/key\/.*/, 'alias/app')]) {
      expect(await create(named)).toEqual({ encryptionType: 'KMS', kmsKey: keyArn })
      const { repositories = [] } = await ecr.client.send(new ecrSdk.DescribeRepositoriesCommand({}))
      expect(repositories[0]?.encryptionConfiguration).toEqual({ encryptionType: 'KMS', kmsKey: keyArn })
      await remove()
    }
    expect(await create(keyArn, 'KMS_DSSE')).toEqual({ encryptionType: 'KMS_DSSE', kmsKey: keyArn })
  })

  test('has the key that ECR keeps in the account where none is named', async () => {
    const made = await create()
    const { KeyMetadata } = await ecr.kms.send(new kms.DescribeKeyCommand({ KeyId: 'alias/aws/ecr' }))
    expect(made?.kmsKey).toBe(KeyMetadata?.Arn ?? '')
    expect(KeyMetadata).toMatchObject({ KeyManager: 'AWS', KeyState: 'Enabled' })
    await remove()
    expect((await create())?.kmsKey).toBe(made?.kmsKey ?? '')
    const KeyId = KeyMetadata?.KeyId
    // It is nobody's to change, nor to use but through ECR.
    for (const attempt of [
      () => ecr.kms.send(new kms.DisableKeyCommand({ KeyId })),
      () => ecr.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId })),
      () => ecr.kms.send(new kms.EncryptCommand({ KeyId, Plaintext: new Uint8Array([1]) })),
    ])
      expect((await refusalOf(attempt()))[0]).toBe('AccessDeniedException')
    const rotation = await ecr.kms.send(new kms.GetKeyRotationStatusCommand({ KeyId }))
    expect(rotation.KeyRotationEnabled).toBe(true)
  })

  test('is used by two grants, which go with it', async () => {
    await create(keyArn)
    const grant = (operation: string) => ({
      GranteePrincipal: SERVICE,
      RetiringPrincipal: SERVICE,
      Operations: [operation, 'RetireGrant'],
      Constraints: { EncryptionContextSubset: { 'aws:ecr:arn': ARN } },
    })
    expect((await grants()).toSorted((a, b) => `${a.Operations}`.localeCompare(`${b.Operations}`))).toMatchObject([
      grant('Decrypt'),
      grant('GenerateDataKey'),
    ])
    await remove()
    expect(await grants()).toEqual([])
  })

  test('is not made with a key that cannot be used', async () => {
    const absent = keyArn.replace(/[^/]+$/, '00000000-0000-4000-8000-000000000000')
    expect(await kmsErrorOf(create(absent))).toBe('NotFoundException')
    expect(await kmsErrorOf(create('alias/none'))).toBe('NotFoundException')
    expect(await kmsErrorOf(create(keyArn.replace('eu-west-3', 'us-east-1')))).toBe('NotFoundException')
    expect(await kmsErrorOf(create(keyArn.replace(OWNER, '999999999999')))).toBe('AccessDeniedException')
    await ecr.kms.send(new kms.DisableKeyCommand({ KeyId: keyArn }))
    expect(await kmsErrorOf(create(keyArn))).toBe('DisabledException')
    await ecr.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId: keyArn }))
    expect(await kmsErrorOf(create(keyArn))).toBe('KMSInvalidStateException')
    expect((await ecr.client.send(new ecrSdk.DescribeRepositoriesCommand({}))).repositories).toEqual([])
  })

  test('is not made with a key that its maker may not use for it', async () => {
    const root = `arn:aws:iam::${OWNER}:root`
    const allow = { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' }
    const deny = { ...allow, Effect: 'Deny', Action: 'kms:CreateGrant' }
    const Policy = (...statements: readonly object[]) =>
      JSON.stringify({ Version: '2012-10-17', Statement: [allow, ...statements] })
    await ecr.kms.send(new kms.PutKeyPolicyCommand({ KeyId: keyArn, Policy: Policy(deny) }))
    expect(await kmsErrorOf(create(keyArn))).toBe('AccessDeniedException')
    const elsewhere = { ...deny, Condition: { StringNotEquals: { 'kms:ViaService': SERVICE } } }
    await ecr.kms.send(new kms.PutKeyPolicyCommand({ KeyId: keyArn, Policy: Policy(elsewhere) }))
    expect((await create(keyArn))?.kmsKey).toBe(keyArn)
  })

  test('fails in the words of KMS while its key cannot be used, and works again afterwards', async () => {
    await create(keyArn)
    await pushImage(ecr, refTo(repositoryName), 'one', 'v1')
    const { uploadId } = await ecr.client.send(new ecrSdk.InitiateLayerUploadCommand({ repositoryName }))
    const { imageManifest } = await pull()
    const attempts: readonly (() => Promise<unknown>)[] = [
      () => create(keyArn).catch((thrown) => Promise.reject(thrown)),
      () => ecr.client.send(new ecrSdk.InitiateLayerUploadCommand({ repositoryName })),
      () => ecr.client.send(new ecrSdk.PutImageCommand({ repositoryName, imageManifest, imageTag: 'v2' })),
      () =>
        ecr.client.send(
          new ecrSdk.UploadLayerPartCommand({
            ...{ repositoryName, uploadId, partFirstByte: 0, partLastByte: 2 },
            layerPartBlob: new Uint8Array([1, 2, 3]),
          }),
        ),
      () => remove(),
    ]
    await ecr.kms.send(new kms.DisableKeyCommand({ KeyId: keyArn }))
    for (const attempt of attempts) expect(await kmsErrorOf(attempt())).toBe('DisabledException')
    expect((await pull()).failures).toEqual(['KmsError'])
    await ecr.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId: keyArn, PendingWindowInDays: 7 }))
    for (const attempt of attempts) expect(await kmsErrorOf(attempt())).toBe('KMSInvalidStateException')
    await ecr.kms.send(new kms.CancelKeyDeletionCommand({ KeyId: keyArn }))
    await ecr.kms.send(new kms.EnableKeyCommand({ KeyId: keyArn }))
    expect((await pull()).imageManifest).toBe(imageManifest ?? '')
    await remove()
  })

  test('fails when the grants are revoked', async () => {
    await create(keyArn)
    await pushImage(ecr, refTo(repositoryName), 'one', 'v1')
    for (const { GrantId } of await grants()) await ecr.kms.send(new kms.RevokeGrantCommand({ KeyId: keyArn, GrantId }))
    const start = ecr.client.send(new ecrSdk.InitiateLayerUploadCommand({ repositoryName }))
    expect(await kmsErrorOf(start)).toBe('AccessDeniedException')
    expect((await pull()).failures).toEqual(['KmsError'])
    const pulling = ecr.images.pull(admin, refTo(repositoryName), { tag: parseTag('v1') })
    await expect(pulling).rejects.toMatchObject({ code: 'kms-key-unusable' })
  })

  test('can be deleted when its key is gone for ever', async () => {
    await create(keyArn)
    await pushImage(ecr, refTo(repositoryName), 'one', 'v1')
    await ecr.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId: keyArn, PendingWindowInDays: 7 }))
    ecr.clock.advance(7 * 86_400_000)
    await ecr.keyLifetimes.passTime(async () => {})
    const start = ecr.client.send(new ecrSdk.InitiateLayerUploadCommand({ repositoryName }))
    expect(await kmsErrorOf(start)).toBe('NotFoundException')
    expect((await pull()).failures).toEqual(['KmsError'])
    await remove()
  })

  async function pull() {
    const imageIds = [{ imageTag: 'v1' }]
    const answer = await ecr.client.send(new ecrSdk.BatchGetImageCommand({ repositoryName, imageIds }))
    return {
      imageManifest: answer.images?.[0]?.imageManifest,
      failures: answer.failures?.map(({ failureCode }) => failureCode as string),
    }
  }
})

describe('a creation template with a key of KMS', () => {
  const template = (more: object = {}) =>
    ecr.client.send(
      new ecrSdk.CreateRepositoryCreationTemplateCommand({
        prefix: 'team',
        appliedFor: ['CREATE_ON_PUSH'],
        encryptionConfiguration: { encryptionType: 'KMS', kmsKey: keyArn },
        ...more,
      }),
    )

  test('makes repositories with it, for which it needs a role', async () => {
    const { repositoryCreationTemplate } = await template()
    expect(repositoryCreationTemplate?.encryptionConfiguration).toEqual({ encryptionType: 'KMS', kmsKey: keyArn })
    await expect(ecr.pushTargets.ensure(admin, refTo(repositoryName))).rejects.toThrow('customRoleArn')
    const customRoleArn = `arn:aws:iam::${OWNER}:role/templates`
    await ecr.client.send(new ecrSdk.UpdateRepositoryCreationTemplateCommand({ prefix: 'team', customRoleArn }))
    await ecr.pushTargets.ensure(admin, refTo(repositoryName))
    const [made] = (await ecr.client.send(new ecrSdk.DescribeRepositoriesCommand({}))).repositories ?? []
    expect(made?.encryptionConfiguration).toEqual({ encryptionType: 'KMS', kmsKey: keyArn })
    expect(await grants()).toHaveLength(2)
  })

  test('makes none while the key cannot be used', async () => {
    await template({ customRoleArn: `arn:aws:iam::${OWNER}:role/templates` })
    await ecr.kms.send(new kms.DisableKeyCommand({ KeyId: keyArn }))
    const making = ecr.pushTargets.ensure(admin, refTo(repositoryName))
    await expect(making).rejects.toMatchObject({ code: 'kms-key-unusable' })
    expect(await ecr.metadata.view.repositories.count(registry)).toBe(0)
  })
})
