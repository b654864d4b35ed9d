import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type KmsKey, keyArn } from '../../src/domain/kms/key.ts'
import { randomIds } from '../../src/lib/ids.ts'
import { DataKeys } from '../../src/services/encryption/data-keys.ts'
import { openMemoryMetadata } from '../../src/stores/metadata/sqlite.ts'
import type { MetadataStore } from '../../src/stores/metadata.ts'
import { newKey, newMaterial } from '../suites/metadata-store-keys.ts'
import { testMasterKey } from '../support/test-master-key.ts'

const context = { vault: 'one' }

let metadata: MetadataStore
let dataKeys: DataKeys
let key: KmsKey
let arn: string
beforeEach(async () => {
  metadata = await openMemoryMetadata(testMasterKey)
  dataKeys = new DataKeys(metadata, randomIds)
  key = await metadata.transact((tx) => tx.keys.insert(newKey(1), newMaterial(1)))
  arn = keyArn(key)
})
afterEach(() => metadata.close())

describe('data keys', () => {
  test('come back from how they were wrapped, for the same key and context only', async () => {
    const { plaintext, wrapped } = await dataKeys.generate(arn, context)
    expect(plaintext).toHaveLength(32)
    expect(await dataKeys.unwrap(arn, wrapped, context)).toEqual(plaintext)
    await expect(dataKeys.unwrap(arn, wrapped, {})).rejects.toMatchObject({ code: 'ciphertext-invalid' })
    await expect(dataKeys.unwrap(arn, wrapped.subarray(1), context)).rejects.toMatchObject({
      code: 'ciphertext-invalid',
    })
    const other = await metadata.transact((tx) => tx.keys.insert(newKey(2), newMaterial(2)))
    await expect(dataKeys.unwrap(keyArn(other), wrapped, context)).rejects.toMatchObject({ code: 'ciphertext-invalid' })
  })

  test('are still unwrapped after the key was rotated', async () => {
    const { plaintext, wrapped } = await dataKeys.generate(arn, context)
    await metadata.transact((tx) => tx.keys.addMaterial(key.id, newMaterial(9), new Date(1)))
    expect(await dataKeys.unwrap(arn, wrapped, context)).toEqual(plaintext)
  })

  test('are refused by a key that cannot be used, with the reason of KMS', async () => {
    const { wrapped } = await dataKeys.generate(arn, context)
    const refusals = async (kmsError: string) => {
      const refused = { code: 'kms-key-unusable', details: { kmsError } }
      const attempts: readonly (() => Promise<unknown>)[] = [
        () => dataKeys.generate(arn, context),
        () => dataKeys.unwrap(arn, wrapped, context),
        () => dataKeys.check(arn),
      ]
      for (const attempt of attempts) await expect(attempt()).rejects.toMatchObject(refused)
    }
    await dataKeys.check(arn)
    await metadata.transact((tx) => tx.keys.update({ ...key, state: 'Disabled' }))
    await refusals('DisabledException')
    await metadata.transact((tx) => tx.keys.update({ ...key, state: 'PendingDeletion' }))
    await refusals('KMSInvalidStateException')
    await metadata.transact((tx) => tx.keys.destroy(key.id))
    await refusals('NotFoundException')
  })
})
