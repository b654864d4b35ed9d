import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import * as kms from '@aws-sdk/client-kms'
import { createEcr, type EcrFixture, refusalOf } from '../ecr/ecr-fixture.ts'

const OWNER = '123456789012'
const DAY_MS = 86_400_000
const text = (plaintext: string) => new TextEncoder().encode(plaintext)

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

async function newKey(input: kms.CreateKeyCommandInput = {}) {
  const { KeyMetadata } = await ecr.kms.send(new kms.CreateKeyCommand(input))
  if (KeyMetadata?.KeyId === undefined || KeyMetadata.Arn === undefined) throw new Error('no key')
  return { ...KeyMetadata, KeyId: KeyMetadata.KeyId, Arn: KeyMetadata.Arn }
}

const describeKey = async (KeyId: string) => (await ecr.kms.send(new kms.DescribeKeyCommand({ KeyId }))).KeyMetadata

describe('a key', () => {
  test('is what KMS makes by default, and is described so by id, ARN and alias', async () => {
    const key = await newKey({ Description: 'mine' })
    expect(key).toMatchObject({
      AWSAccountId: OWNER,
      Arn: `arn:aws:kms:eu-west-3:${OWNER}:key/${key.KeyId}`,
      Enabled: true,
      Description: 'mine',
      KeyUsage: 'ENCRYPT_DECRYPT',
      KeyState: 'Enabled',
      Origin: 'AWS_KMS',
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      MultiRegion: false,
    })
    await ecr.kms.send(new kms.CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: key.KeyId }))
    const arn = `arn:aws:kms:eu-west-3:${OWNER}:alias/app`
    for (const name of [key.KeyId, key.Arn, 'alias/app', arn]) expect((await describeKey(name))?.KeyId).toBe(key.KeyId)
  })

  test('of another kind is refused', async () => {
    const make = (input: kms.CreateKeyCommandInput) => refusalOf(newKey(input))
    expect((await make({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }))[0]).toBe('UnsupportedOperationException')
    expect((await make({ KeyUsage: 'SIGN_VERIFY' }))[0]).toBe('ValidationException')
    expect((await make({ MultiRegion: true }))[0]).toBe('UnsupportedOperationException')
    expect((await make({ Origin: 'EXTERNAL' }))[0]).toBe('UnsupportedOperationException')
    expect((await make({ Policy: '{' }))[0]).toBe('MalformedPolicyDocumentException')
    expect((await make({ Tags: [{ TagKey: 'aws:x', TagValue: '' }] }))[0]).toBe('TagException')
  })

  test('that is not there is said to be so, and another account hears nothing of any', async () => {
    const absent = '00000000-0000-4000-8000-000000000000'
    expect(await refusalOf(describeKey(absent))).toEqual([
      'NotFoundException',
      `Key 'arn:aws:kms:eu-west-3:${OWNER}:key/${absent}' does not exist`,
    ])
    expect((await refusalOf(describeKey('nonsense')))[0]).toBe('NotFoundException')
    expect((await refusalOf(describeKey('alias/none')))[1]).toContain('alias/none is not found')
    expect((await refusalOf(describeKey('arn:aws:s3:::bucket/that/is/no/key')))[0]).toBe('InvalidArnException')
    const { Arn } = await newKey()
    const stranger = ecr.kmsOf('999999999999')
    for (const KeyId of [Arn, Arn.replace(/[^/]+$/, absent)]) {
      const refusal = await refusalOf(stranger.send(new kms.DescribeKeyCommand({ KeyId })))
      expect(refusal[0]).toBe('AccessDeniedException')
    }
  })

  test('can be switched off and on, and is of no use meanwhile', async () => {
    const { KeyId, Arn } = await newKey()
    await ecr.kms.send(new kms.DisableKeyCommand({ KeyId }))
    expect(await describeKey(KeyId)).toMatchObject({ KeyState: 'Disabled', Enabled: false })
    const encrypt = () => ecr.kms.send(new kms.EncryptCommand({ KeyId, Plaintext: text('x') }))
    expect(await refusalOf(encrypt())).toEqual(['DisabledException', `${Arn} is disabled.`])
    await ecr.kms.send(new kms.EnableKeyCommand({ KeyId }))
    expect((await encrypt()).CiphertextBlob?.length).toBeGreaterThan(70)
  })

  test('has tags and a description', async () => {
    const { KeyId } = await newKey({ Tags: [{ TagKey: 'b', TagValue: '1' }] })
    await ecr.kms.send(new kms.TagResourceCommand({ KeyId, Tags: [{ TagKey: 'a', TagValue: '2' }] }))
    const tags = async (Marker?: string) => ecr.kms.send(new kms.ListResourceTagsCommand({ KeyId, Limit: 1, Marker }))
    const first = await tags()
    expect(first).toMatchObject({ Tags: [{ TagKey: 'a', TagValue: '2' }], Truncated: true })
    expect(await tags(first.NextMarker)).toMatchObject({ Tags: [{ TagKey: 'b', TagValue: '1' }], Truncated: false })
    expect((await refusalOf(tags('nonsense')))[0]).toBe('InvalidMarkerException')
    await ecr.kms.send(new kms.UntagResourceCommand({ KeyId, TagKeys: ['a', 'none'] }))
    expect((await tags()).Truncated).toBe(false)
    await ecr.kms.send(new kms.UpdateKeyDescriptionCommand({ KeyId, Description: 'other' }))
    expect((await describeKey(KeyId))?.Description).toBe('other')
  })

  test('is listed, a page at a time', async () => {
    for (let count = 0; count < 3; count++) await newKey()
    const first = await ecr.kms.send(new kms.ListKeysCommand({ Limit: 2 }))
    const rest = await ecr.kms.send(new kms.ListKeysCommand({ Limit: 2, Marker: first.NextMarker }))
    expect([first.Keys?.length, first.Truncated, rest.Keys?.length, rest.Truncated]).toEqual([2, true, 1, false])
    const other = await ecr.kmsOf('999999999999').send(new kms.ListKeysCommand({}))
    expect(other.Keys).toEqual([])
  })
})

describe('an alias', () => {
  test('points at a key, can be turned to another, and goes', async () => {
    const [one, other] = [await newKey(), await newKey()]
    const AliasName = 'alias/app'
    const create = () => ecr.kms.send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: one.Arn }))
    await create()
    expect((await refusalOf(create()))[0]).toBe('AlreadyExistsException')
    await ecr.kms.send(new kms.UpdateAliasCommand({ AliasName, TargetKeyId: other.KeyId }))
    const list = async (KeyId?: string) => (await ecr.kms.send(new kms.ListAliasesCommand({ KeyId }))).Aliases
    expect(await list()).toMatchObject([
      { AliasName, AliasArn: `arn:aws:kms:eu-west-3:${OWNER}:${AliasName}`, TargetKeyId: other.KeyId },
    ])
    expect(await list(one.KeyId)).toEqual([])
    await ecr.kms.send(new kms.DeleteAliasCommand({ AliasName }))
    expect((await refusalOf(ecr.kms.send(new kms.DeleteAliasCommand({ AliasName }))))[0]).toBe('NotFoundException')
  })

  test('has a name of its own, which is not one of AWS', async () => {
    const { KeyId: TargetKeyId } = await newKey()
    const create = (AliasName: string, target = TargetKeyId) =>
      refusalOf(ecr.kms.send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: target })))
    expect((await create('alias/aws/ecr'))[0]).toBe('InvalidAliasNameException')
    expect((await create('app'))[0]).toBe('ValidationException')
    expect((await create('alias/'))[0]).toBe('ValidationException')
    expect((await create('alias/b', 'alias/app'))[0]).toBe('ValidationException')
  })

  test('is no name of a key where a key is administered', async () => {
    const { KeyId } = await newKey()
    await ecr.kms.send(new kms.CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: KeyId }))
    const disable = ecr.kms.send(new kms.DisableKeyCommand({ KeyId: 'alias/app' }))
    expect(await refusalOf(disable)).toEqual(['NotFoundException', "Invalid keyId 'alias/app'"])
  })
})

describe('deletion', () => {
  test('is scheduled, can be cancelled, and until then the key is of no use', async () => {
    const { KeyId, Arn } = await newKey()
    const schedule = (days?: number) =>
      ecr.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: days }))
    expect((await refusalOf(schedule(6)))[0]).toBe('ValidationException')
    const now = ecr.clock.now().getTime()
    expect(await schedule(7)).toMatchObject({
      KeyId: Arn,
      KeyState: 'PendingDeletion',
      PendingWindowInDays: 7,
      DeletionDate: new Date(now + 7 * DAY_MS),
    })
    const state = async (command: Promise<unknown>) => (await refusalOf(command))[0]
    const invalid = 'KMSInvalidStateException'
    expect(await state(schedule(7))).toBe(invalid)
    expect(await state(ecr.kms.send(new kms.EncryptCommand({ KeyId, Plaintext: text('x') })))).toBe(invalid)
    expect(await state(ecr.kms.send(new kms.EnableKeyCommand({ KeyId })))).toBe(invalid)
    const alias = new kms.CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: KeyId })
    expect(await state(ecr.kms.send(alias))).toBe(invalid)
    await ecr.kms.send(new kms.CancelKeyDeletionCommand({ KeyId }))
    const after = await describeKey(KeyId)
    expect([after?.KeyState, after?.DeletionDate]).toEqual(['Disabled', undefined])
    expect(await state(ecr.kms.send(new kms.CancelKeyDeletionCommand({ KeyId })))).toBe(invalid)
  })

  test('destroys the key at the end of the window, and nothing brings back what it encrypted', async () => {
    const { KeyId } = await newKey()
    const { CiphertextBlob } = await ecr.kms.send(new kms.EncryptCommand({ KeyId, Plaintext: text('x') }))
    await ecr.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
    const pass = () => ecr.keyLifetimes.passTime(async () => {})
    ecr.clock.advance(7 * DAY_MS - 1)
    expect([await ecr.keyLifetimes.isDue(), await pass()]).toEqual([false, { deleted: 0, rotated: 0 }])
    ecr.clock.advance(1)
    expect([await ecr.keyLifetimes.isDue(), await pass()]).toEqual([true, { deleted: 1, rotated: 0 }])
    expect((await refusalOf(describeKey(KeyId)))[0]).toBe('NotFoundException')
    const decrypt = ecr.kms.send(new kms.DecryptCommand({ CiphertextBlob }))
    expect((await refusalOf(decrypt))[0]).toBe('AccessDeniedException')
  })
})

describe('rotation', () => {
  test('is off at first, and comes round by the clock once it is on', async () => {
    const { KeyId } = await newKey()
    const status = () => ecr.kms.send(new kms.GetKeyRotationStatusCommand({ KeyId }))
    expect((await status()).KeyRotationEnabled).toBe(false)
    await ecr.kms.send(new kms.EnableKeyRotationCommand({ KeyId, RotationPeriodInDays: 90 }))
    const nextAt = new Date(ecr.clock.now().getTime() + 90 * DAY_MS)
    expect(await status()).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate: nextAt,
    })
    const before = await ecr.kms.send(new kms.EncryptCommand({ KeyId, Plaintext: text('old') }))
    const material = (await describeKey(KeyId))?.CurrentKeyMaterialId
    ecr.clock.advance(90 * DAY_MS)
    expect(await ecr.keyLifetimes.passTime(async () => {})).toEqual({ deleted: 0, rotated: 1 })
    expect((await describeKey(KeyId))?.CurrentKeyMaterialId).not.toBe(material)
    const { Plaintext, KeyMaterialId } = await ecr.kms.send(
      new kms.DecryptCommand({ CiphertextBlob: before.CiphertextBlob }),
    )
    expect([Plaintext, KeyMaterialId]).toEqual([text('old'), material])
    await ecr.kms.send(new kms.DisableKeyRotationCommand({ KeyId }))
    expect((await status()).KeyRotationEnabled).toBe(false)
  })

  test('does not happen to a disabled key', async () => {
    const { KeyId } = await newKey()
    await ecr.kms.send(new kms.EnableKeyRotationCommand({ KeyId }))
    await ecr.kms.send(new kms.DisableKeyCommand({ KeyId }))
    const enable = ecr.kms.send(new kms.EnableKeyRotationCommand({ KeyId }))
    expect((await refusalOf(enable))[0]).toBe('DisabledException')
    ecr.clock.advance(366 * DAY_MS)
    expect(await ecr.keyLifetimes.isDue()).toBe(false)
    await ecr.kms.send(new kms.EnableKeyCommand({ KeyId }))
    expect(await ecr.keyLifetimes.passTime(async () => {})).toEqual({ deleted: 0, rotated: 1 })
  })
})
