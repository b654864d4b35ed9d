import { describe, expect, test } from 'bun:test'
import { isSameEncryption, kmsKeyOf, layersOf, PLAIN, SERVER_VAULT, tryParseVault, vaultOf } from './vault.ts'

const ARN = 'arn:aws:kms:eu-west-3:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const KMS = { type: 'KMS', kmsKeyArn: ARN } as const
const DSSE = { type: 'KMS_DSSE', kmsKeyArn: ARN } as const
const AES = { type: 'AES256' } as const

describe('vaultOf', () => {
  test('AES256 is plain, or the server key when that is used', () => {
    expect(vaultOf(AES, false)).toBe(PLAIN)
    expect(vaultOf(AES, true)).toBe(SERVER_VAULT)
  })

  test('each key, and each way of using it, has its own', () => {
    expect(vaultOf(KMS, false) as string).toBe('kms.eu-west-3.123456789012.1234abcd-12ab-34cd-56ef-1234567890ab')
    expect(vaultOf(DSSE, true) as string).toBe('dsse.eu-west-3.123456789012.1234abcd-12ab-34cd-56ef-1234567890ab')
  })

  test('the key can be told from its vault, in every partition', () => {
    for (const [partition, region] of [
      ['aws', 'eu-west-3'],
      ['aws-cn', 'cn-north-1'],
      ['aws-us-gov', 'us-gov-west-1'],
    ] as const) {
      const kmsKeyArn = `arn:${partition}:kms:${region}:123456789012:key/mrk-1234`
      expect(kmsKeyOf(vaultOf({ type: 'KMS', kmsKeyArn }, false))).toBe(kmsKeyArn)
    }
    expect(kmsKeyOf(PLAIN)).toBeUndefined()
    expect(kmsKeyOf(SERVER_VAULT)).toBeUndefined()
  })

  test('what is no key ARN is refused', () => {
    for (const kmsKeyArn of ['', 'alias/x', `${ARN}/..`, 'arn:aws-cn:kms:eu-west-3:123456789012:key/1', `x${ARN}`])
      expect(() => vaultOf({ type: 'KMS', kmsKeyArn }, false)).toThrow()
  })
})

describe('a vault', () => {
  test('is known by its name, and only by that', () => {
    for (const vault of [PLAIN, SERVER_VAULT, vaultOf(KMS, false), vaultOf(DSSE, false)])
      expect(tryParseVault(vault)).toBe(vault)
    for (const text of ['plain', '..', 'kms', 'kms.x.1.y', 'server/..', 'kms.eu-west-3.123456789012.../..'])
      expect(tryParseVault(text)).toBeUndefined()
  })

  test('says how often its content is encrypted', () => {
    expect([PLAIN, SERVER_VAULT, vaultOf(KMS, false), vaultOf(DSSE, false)].map(layersOf)).toEqual([0, 1, 1, 2])
  })
})

test('repositories share content when type and key are the same', () => {
  expect(isSameEncryption(AES, AES)).toBe(true)
  expect(isSameEncryption(KMS, { ...KMS })).toBe(true)
  expect(isSameEncryption(KMS, DSSE)).toBe(false)
  expect(isSameEncryption(KMS, AES)).toBe(false)
  expect(isSameEncryption(KMS, { type: 'KMS', kmsKeyArn: `${ARN}0` })).toBe(false)
})
