import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import * as kms from '@aws-sdk/client-kms'
import { createEcr, type EcrFixture, refusalOf } from '../ecr/ecr-fixture.ts'

const Plaintext = new TextEncoder().encode('what nobody else may read')
const EncryptionContext = { app: 'shop', stage: 'prod' }

let ecr: EcrFixture
let KeyId: string
let arn: string
beforeEach(async () => {
  ecr = await createEcr()
  const { KeyMetadata } = await ecr.kms.send(new kms.CreateKeyCommand({}))
  KeyId = KeyMetadata?.KeyId ?? ''
  arn = KeyMetadata?.Arn ?? ''
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const encrypt = (more: Partial<kms.EncryptCommandInput> = {}) =>
  ecr.kms.send(new kms.EncryptCommand({ KeyId, Plaintext, EncryptionContext, ...more }))
const decrypt = (CiphertextBlob: Uint8Array | undefined, more: Partial<kms.DecryptCommandInput> = {}) =>
  ecr.kms.send(new kms.DecryptCommand({ CiphertextBlob, EncryptionContext, ...more }))
const codeOf = async (answer: Promise<unknown>) => (await refusalOf(answer))[0]

describe('what a key encrypted', () => {
  test('it decrypts, without being named', async () => {
    const { CiphertextBlob, ...rest } = await encrypt()
    expect(rest).toMatchObject({ KeyId: arn, EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
    expect(await decrypt(CiphertextBlob)).toMatchObject({ KeyId: arn, Plaintext })
    await ecr.kms.send(new kms.CreateAliasCommand({ AliasName: 'alias/a', TargetKeyId: KeyId }))
    expect(await decrypt(CiphertextBlob, { KeyId: 'alias/a' })).toMatchObject({ Plaintext })
  })

  test('is bound to its context, in whatever order', async () => {
    const { CiphertextBlob } = await encrypt()
    const reordered = { stage: 'prod', app: 'shop' }
    expect(await decrypt(CiphertextBlob, { EncryptionContext: reordered })).toMatchObject({ Plaintext })
    for (const other of [{}, { app: 'shop' }, { app: 'prod', stage: 'shop' }, { ...EncryptionContext, more: '' }])
      expect(await codeOf(decrypt(CiphertextBlob, { EncryptionContext: other }))).toBe('InvalidCiphertextException')
  })

  test('is not decrypted once a bit of it is changed, or by another key', async () => {
    const { CiphertextBlob = new Uint8Array() } = await encrypt()
    const last = CiphertextBlob.slice()
    last[last.length - 1] = (last[last.length - 1] ?? 0) ^ 1
    expect(await codeOf(decrypt(last))).toBe('InvalidCiphertextException')
    expect(await codeOf(decrypt(new Uint8Array([1, 2, 3])))).toBe('InvalidCiphertextException')
    const other = await ecr.kms.send(new kms.CreateKeyCommand({}))
    const named = decrypt(CiphertextBlob, { KeyId: other.KeyMetadata?.KeyId })
    expect(await codeOf(named)).toBe('IncorrectKeyException')
  })

  test('stays what it was for other accounts', async () => {
    const { CiphertextBlob } = await encrypt()
    const stranger = ecr.kmsOf('999999999999').send(new kms.DecryptCommand({ CiphertextBlob, EncryptionContext }))
    expect((await refusalOf(stranger))[0]).toBe('AccessDeniedException')
  })
})

describe('data keys', () => {
  test('come in clear and encrypted, as long as asked', async () => {
    const generate = (input: object) =>
      ecr.kms.send(new kms.GenerateDataKeyCommand({ KeyId, EncryptionContext, ...input }))
    for (const [input, length] of [
      [{ KeySpec: 'AES_256' }, 32],
      [{ KeySpec: 'AES_128' }, 16],
      [{ NumberOfBytes: 7 }, 7],
    ] as const) {
      const made = await generate(input)
      expect(made.Plaintext).toHaveLength(length)
      expect((await decrypt(made.CiphertextBlob)).Plaintext).toEqual(made.Plaintext)
    }
    expect(await codeOf(generate({}))).toBe('ValidationException')
    expect(await codeOf(generate({ KeySpec: 'AES_256', NumberOfBytes: 32 }))).toBe('ValidationException')
  })

  test('come encrypted alone', async () => {
    const command = new kms.GenerateDataKeyWithoutPlaintextCommand({ KeyId, KeySpec: 'AES_256', EncryptionContext })
    const made = await ecr.kms.send(command)
    expect(made).not.toHaveProperty('Plaintext')
    expect((await decrypt(made.CiphertextBlob)).Plaintext).toHaveLength(32)
  })
})

test('a dry run says whether it would have worked', async () => {
  const { CiphertextBlob } = await encrypt()
  expect(await codeOf(encrypt({ DryRun: true }))).toBe('DryRunOperationException')
  expect(await codeOf(decrypt(CiphertextBlob, { DryRun: true }))).toBe('DryRunOperationException')
  await ecr.kms.send(new kms.DisableKeyCommand({ KeyId }))
  expect(await codeOf(encrypt({ DryRun: true }))).toBe('DisabledException')
})

test('another algorithm is not one of these keys', async () => {
  expect(await codeOf(encrypt({ EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }))).toBe('InvalidKeyUsageException')
})

test('a context has its limits', async () => {
  expect(await codeOf(encrypt({ EncryptionContext: { a: 'x'.repeat(9000) } }))).toBe('ValidationException')
})
