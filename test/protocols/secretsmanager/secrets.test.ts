import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import * as kms from '@aws-sdk/client-kms'
import * as sm from '@aws-sdk/client-secrets-manager'
import { createEcr, type EcrFixture, refusalOf } from '../ecr/ecr-fixture.ts'

const OWNER = '123456789012'
const Name = 'ecr-pullthroughcache/hub'
const DAY_MS = 86_400_000
const SecretString = '{"username":"me","accessToken":"a-very-secret-token"}'
const token = (letter: string) => letter.repeat(32)

let ecr: EcrFixture
let client: sm.SecretsManagerClient
beforeEach(async () => {
  ecr = await createEcr()
  client = ecr.secretsOf(OWNER)
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const create = (more: Partial<sm.CreateSecretCommandInput> = {}) =>
  client.send(new sm.CreateSecretCommand({ Name, SecretString, ...more }))
const get = (more: Partial<sm.GetSecretValueCommandInput> = {}) =>
  client.send(new sm.GetSecretValueCommand({ SecretId: Name, ...more }))
const put = (more: Partial<sm.PutSecretValueCommandInput> = {}) =>
  client.send(new sm.PutSecretValueCommand({ SecretId: Name, SecretString: 'other', ...more }))
const describeSecret = (SecretId = Name) => client.send(new sm.DescribeSecretCommand({ SecretId }))
const remove = (more: Partial<sm.DeleteSecretCommandInput> = {}) =>
  client.send(new sm.DeleteSecretCommand({ SecretId: Name, ...more }))
const codeOf = async (answer: Promise<unknown>) => (await refusalOf(answer))[0]

describe('a secret', () => {
  test('is read by name, by ARN, and by the ARN without its end', async () => {
    const { ARN = '', VersionId } = await create({ ClientRequestToken: token('a') })
    expect(ARN).toMatch(new RegExp(`^arn:aws:secretsmanager:eu-west-3:${OWNER}:secret:${Name}-[a-zA-Z0-9]{6}$`))
    expect(VersionId).toBe(token('a'))
    for (const SecretId of [Name, ARN, ARN.slice(0, -7)])
      expect(await get({ SecretId })).toMatchObject({
        ARN,
        Name,
        SecretString,
        VersionId,
        VersionStages: ['AWSCURRENT'],
      })
    for (const SecretId of ['none', `${ARN.slice(0, -1)}!`, ARN.replace('eu-west-3', 'us-east-1')])
      expect(await codeOf(get({ SecretId }))).toBe('ResourceNotFoundException')
    const stranger = ecr.secretsOf('999999999999').send(new sm.GetSecretValueCommand({ SecretId: ARN }))
    expect(await codeOf(stranger)).toBe('AccessDeniedException')
  })

  test('may be bytes', async () => {
    const SecretBinary = new Uint8Array([0, 1, 255])
    await create({ SecretString: undefined, SecretBinary })
    const value = await get()
    expect([value.SecretBinary, value.SecretString]).toEqual([SecretBinary, undefined])
    expect(await codeOf(put({ SecretBinary }))).toBe('InvalidParameterException')
    expect(await codeOf(put({ SecretString: undefined }))).toBe('InvalidRequestException')
  })

  test('is there once, unless it is made again just so', async () => {
    const made = await create({ ClientRequestToken: token('a') })
    expect((await create({ ClientRequestToken: token('a') })).ARN).toBe(made.ARN ?? '')
    expect(await codeOf(create({ ClientRequestToken: token('a'), SecretString: 'x' }))).toBe('ResourceExistsException')
    expect(await codeOf(create())).toBe('ResourceExistsException')
    expect(await codeOf(create({ Name: 'no spaces' }))).toBe('InvalidParameterException')
    expect(await codeOf(create({ Name: 'x', AddReplicaRegions: [{ Region: 'eu-west-1' }] }))).toBe(
      'InvalidRequestException',
    )
  })

  test('without a value has none to read', async () => {
    expect((await create({ SecretString: undefined })).VersionId).toBeUndefined()
    expect(await refusalOf(get())).toEqual([
      'ResourceNotFoundException',
      "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
    ])
  })

  test('is described without its value', async () => {
    await create({ Description: 'mine', Tags: [{ Key: 'team', Value: 'a' }], ClientRequestToken: token('a') })
    const described = await describeSecret()
    expect(described).toMatchObject({
      Name,
      Description: 'mine',
      Tags: [{ Key: 'team', Value: 'a' }],
      VersionIdsToStages: { [token('a')]: ['AWSCURRENT'] },
    })
    expect(JSON.stringify(described)).not.toContain('very-secret')
    expect(described.LastAccessedDate).toBeUndefined()
    await get()
    expect((await describeSecret()).LastAccessedDate?.getTime()).toBe(
      Math.floor(ecr.clock.now().getTime() / DAY_MS) * DAY_MS,
    )
    const policy = await client.send(new sm.GetResourcePolicyCommand({ SecretId: Name }))
    expect([policy.Name, policy.ResourcePolicy]).toEqual([Name, undefined])
  })

  test('has tags', async () => {
    await create({ Tags: [{ Key: 'a', Value: '1' }] })
    await client.send(new sm.TagResourceCommand({ SecretId: Name, Tags: [{ Key: 'b', Value: '2' }] }))
    await client.send(new sm.UntagResourceCommand({ SecretId: Name, TagKeys: ['a', 'none'] }))
    expect((await describeSecret()).Tags).toEqual([{ Key: 'b', Value: '2' }])
    const reserved = client.send(new sm.TagResourceCommand({ SecretId: Name, Tags: [{ Key: 'aws:x', Value: '' }] }))
    expect(await codeOf(reserved)).toBe('InvalidParameterException')
  })
})

describe('versions', () => {
  test('follow one another, the last two by label', async () => {
    await create({ ClientRequestToken: token('a') })
    await put({ ClientRequestToken: token('b') })
    expect(await get()).toMatchObject({ SecretString: 'other', VersionId: token('b') })
    expect(await get({ VersionStage: 'AWSPREVIOUS' })).toMatchObject({ SecretString, VersionId: token('a') })
    await put({ ClientRequestToken: token('c'), SecretString: 'third' })
    expect((await describeSecret()).VersionIdsToStages).toEqual({
      [token('b')]: ['AWSPREVIOUS'],
      [token('c')]: ['AWSCURRENT'],
    })
    expect(await get({ VersionId: token('a') })).toMatchObject({ SecretString })
    expect(await codeOf(get({ VersionId: token('a'), VersionStage: 'AWSCURRENT' }))).toBe('ResourceNotFoundException')
  })

  test('may have labels of their own, and are put once', async () => {
    await create({ ClientRequestToken: token('a') })
    const pending = { ClientRequestToken: token('b'), VersionStages: ['AWSPENDING'] }
    expect((await put(pending)).VersionStages).toEqual(['AWSPENDING'])
    expect(await get()).toMatchObject({ SecretString, VersionId: token('a') })
    expect((await put(pending)).VersionId).toBe(token('b'))
    expect(await codeOf(put({ ...pending, SecretString: 'different' }))).toBe('ResourceExistsException')
  })

  test('come with an update, too', async () => {
    await create({ ClientRequestToken: token('a') })
    const update = (more: object) => client.send(new sm.UpdateSecretCommand({ SecretId: Name, ...more }))
    expect((await update({ Description: 'new' })).VersionId).toBeUndefined()
    expect((await update({ SecretString: 'new', ClientRequestToken: token('b') })).VersionId).toBe(token('b'))
    expect(await get()).toMatchObject({ SecretString: 'new' })
    expect((await describeSecret()).Description).toBe('new')
  })
})

describe('deletion', () => {
  test('waits for its window, in which nothing but the secret itself is seen', async () => {
    await create()
    expect(await codeOf(remove({ RecoveryWindowInDays: 6 }))).toBe('InvalidParameterException')
    expect(await codeOf(remove({ RecoveryWindowInDays: 7, ForceDeleteWithoutRecovery: true }))).toBe(
      'InvalidParameterException',
    )
    const DeletionDate = new Date(ecr.clock.now().getTime() + 7 * DAY_MS)
    expect(await remove({ RecoveryWindowInDays: 7 })).toMatchObject({ Name, DeletionDate })
    expect((await describeSecret()).DeletedDate).toEqual(DeletionDate)
    for (const attempt of [get(), put(), remove(), create()])
      expect(await codeOf(attempt)).toBe('InvalidRequestException')
    expect((await client.send(new sm.ListSecretsCommand({}))).SecretList).toEqual([])
    const all = await client.send(new sm.ListSecretsCommand({ IncludePlannedDeletion: true }))
    expect(all.SecretList).toHaveLength(1)
    expect(await ecr.secrets.isDue()).toBe(false)
    ecr.clock.advance(7 * DAY_MS)
    expect([await ecr.secrets.isDue(), await ecr.secrets.passTime(async () => {})]).toEqual([true, 1])
    expect(await codeOf(describeSecret())).toBe('ResourceNotFoundException')
  })

  test('is at once when it is forced, and the next secret of that name is another one', async () => {
    const first = await create()
    await remove({ ForceDeleteWithoutRecovery: true })
    expect(await codeOf(get())).toBe('ResourceNotFoundException')
    expect(await codeOf(remove({ ForceDeleteWithoutRecovery: true }))).toBe('ResourceNotFoundException')
    const second = await create()
    expect(second.ARN).not.toBe(first.ARN ?? '')
    expect(await codeOf(get({ SecretId: first.ARN ?? '' }))).toBe('ResourceNotFoundException')
  })
})

describe('a listing', () => {
  const list = (more: sm.ListSecretsCommandInput = {}) => client.send(new sm.ListSecretsCommand(more))
  const names = async (more: sm.ListSecretsCommandInput = {}) =>
    (await list(more)).SecretList?.map((secret) => secret.Name)

  beforeEach(async () => {
    for (const [name, description, tag] of [
      ['b/two', 'the second one', 'x'],
      ['a/one', 'Token of production', 'y'],
      ['b/three', undefined, 'x'],
    ] as const) {
      await create({ Name: name, Description: description, Tags: [{ Key: `key-${tag}`, Value: `value-${tag}` }] })
      ecr.clock.advance(1000)
    }
  })

  test('is in the order of making, or another one, a page at a time', async () => {
    expect(await names()).toEqual(['b/two', 'a/one', 'b/three'])
    expect(await names({ SortBy: 'name', SortOrder: 'desc' })).toEqual(['b/two', 'b/three', 'a/one'])
    const first = await list({ MaxResults: 2 })
    expect(first.SecretList?.length).toBe(2)
    expect(await names({ MaxResults: 2, NextToken: first.NextToken })).toEqual(['b/three'])
    expect(await codeOf(list({ NextToken: 'nonsense' }))).toBe('InvalidNextTokenException')
  })

  test('is filtered', async () => {
    const by = (Key: sm.FilterNameStringType, ...Values: string[]) => names({ Filters: [{ Key, Values }] })
    expect(await by('name', 'b/')).toEqual(['b/two', 'b/three'])
    expect(await by('name', '!b/')).toEqual(['a/one'])
    expect(await by('tag-key', 'key-y', 'none')).toEqual(['a/one'])
    expect(await by('tag-value', 'value-x')).toEqual(['b/two', 'b/three'])
    expect(await by('description', 'PROD')).toEqual(['a/one'])
    expect(await by('all', 'second')).toEqual(['b/two'])
    expect(await by('owning-service', 'rds')).toEqual([])
    const both = [
      { Key: 'name', Values: ['b'] },
      { Key: 'description', Values: ['the'] },
    ] as const
    expect(await names({ Filters: both.map(({ Key, Values }) => ({ Key, Values: [...Values] })) })).toEqual(['b/two'])
  })
})

describe('a key of KMS', () => {
  let KmsKeyId: string
  beforeEach(async () => {
    KmsKeyId = (await ecr.kms.send(new kms.CreateKeyCommand({}))).KeyMetadata?.Arn ?? ''
  })

  test('encrypts what the secret holds, and nobody reads it without', async () => {
    await create({ KmsKeyId })
    expect((await describeSecret()).KmsKeyId).toBe(KmsKeyId)
    expect(await get()).toMatchObject({ SecretString })
    await ecr.kms.send(new kms.DisableKeyCommand({ KeyId: KmsKeyId }))
    expect(await codeOf(get())).toBe('DecryptionFailure')
    expect(await codeOf(put())).toBe('EncryptionFailure')
    await ecr.kms.send(new kms.EnableKeyCommand({ KeyId: KmsKeyId }))
    expect(await get()).toMatchObject({ SecretString })
  })

  test('that is not there, or not the caller’s, encrypts nothing', async () => {
    expect(await codeOf(create({ KmsKeyId: 'alias/none' }))).toBe('EncryptionFailure')
    const deny = { Effect: 'Deny', Principal: '*', Action: 'kms:GenerateDataKey', Resource: '*' }
    const allow = { ...deny, Effect: 'Allow', Action: 'kms:*', Principal: { AWS: OWNER } }
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [allow, deny] })
    await ecr.kms.send(new kms.PutKeyPolicyCommand({ KeyId: KmsKeyId, Policy }))
    expect(await codeOf(create({ KmsKeyId }))).toBe('AccessDeniedException')
  })

  test("of another account is not told to be there, nor used without its owner's leave", async () => {
    await ecr.kms.send(new kms.CreateAliasCommand({ AliasName: 'alias/theirs', TargetKeyId: KmsKeyId }))
    const stranger = ecr.secretsOf('999999999999')
    const alias = (name: string) => `arn:aws:kms:eu-west-3:${OWNER}:alias/${name}`
    const none = KmsKeyId.replace(/[^/]+$/, '12345678-1234-1234-1234-123456789012')
    for (const key of [KmsKeyId, none, alias('theirs'), alias('none')])
      for (const value of [{}, { SecretString }])
        expect(await codeOf(stranger.send(new sm.CreateSecretCommand({ Name, KmsKeyId: key, ...value })))).toBe(
          'AccessDeniedException',
        )
  })

  test('can be changed', async () => {
    await create()
    const update = new sm.UpdateSecretCommand({ SecretId: Name, KmsKeyId })
    await client.send(update)
    await ecr.kms.send(new kms.DisableKeyCommand({ KeyId: KmsKeyId }))
    expect(await codeOf(get())).toBe('DecryptionFailure')
    await ecr.kms.send(new kms.EnableKeyCommand({ KeyId: KmsKeyId }))
    await client.send(new sm.UpdateSecretCommand({ SecretId: Name, KmsKeyId: '' }))
    await ecr.kms.send(new kms.DisableKeyCommand({ KeyId: KmsKeyId }))
    expect(await get()).toMatchObject({ SecretString })
  })
})
