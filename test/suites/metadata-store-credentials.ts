import { expect, test } from 'bun:test'
import { minute, type StoreOf } from './metadata-store-records.ts'

export function credentialCases(store: StoreOf): void {
  const key = {
    accessKeyId: 'AKIAEXAMPLE',
    secretAccessKey: 'secret',
    accountId: '123456789012',
    principalArn: 'arn:aws:iam::123456789012:root',
    createdAt: minute(1),
  }

  test('an access key comes back, and a new one of the same id replaces it', async () => {
    expect(await store().view.credentials.findAccessKey(key.accessKeyId)).toBeUndefined()
    expect(await store().view.credentials.countAccessKeys()).toBe(0)
    await store().transact((tx) => tx.credentials.putAccessKey(key))
    expect(await store().view.credentials.findAccessKey(key.accessKeyId)).toEqual(key)
    const replaced = { ...key, secretAccessKey: 'other', createdAt: minute(2) }
    await store().transact((tx) => tx.credentials.putAccessKey(replaced))
    expect(await store().view.credentials.findAccessKey(key.accessKeyId)).toEqual(replaced)
    expect(await store().view.credentials.countAccessKeys()).toBe(1)
  })

  test('of the keys of one principal all but one can go', async () => {
    const second = { ...key, accessKeyId: 'AKIASECOND' }
    const stranger = { ...key, accessKeyId: 'AKIASTRANGER', principalArn: 'arn:aws:iam::999999999999:root' }
    await store().transact(async (tx) => {
      for (const each of [key, second, stranger]) await tx.credentials.putAccessKey(each)
      await tx.credentials.deleteOtherAccessKeys(key.principalArn, second.accessKeyId)
    })
    expect(await store().view.credentials.findAccessKey(key.accessKeyId)).toBeUndefined()
    expect(await store().view.credentials.findAccessKey(second.accessKeyId)).toEqual(second)
    expect(await store().view.credentials.findAccessKey(stranger.accessKeyId)).toEqual(stranger)
  })

  test('the first secret of a name stays', async () => {
    const first = new Uint8Array([0, 1, 2, 255])
    const keep = (secret: Uint8Array) => store().transact((tx) => tx.credentials.keepSecret('signing', secret))
    expect(await store().view.credentials.findSecret('signing')).toBeUndefined()
    expect(await keep(first)).toEqual(first)
    expect(await keep(new Uint8Array([9]))).toEqual(first)
    expect(await store().view.credentials.findSecret('signing')).toEqual(first)
    expect(await store().view.credentials.findSecret('other')).toBeUndefined()
  })
}
