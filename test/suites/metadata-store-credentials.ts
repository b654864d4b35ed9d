import { expect, test } from 'bun:test'
import { newEntity } from './metadata-store-iam.ts'
import { minute, type StoreOf } from './metadata-store-records.ts'

export function credentialCases(store: StoreOf): void {
  const key = {
    accessKeyId: 'AKIAEXAMPLE',
    secretAccessKey: 'secret',
    accountId: '123456789012',
    principalArn: 'arn:aws:iam::123456789012:root',
    createdAt: minute(1),
    status: 'Active' as const,
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

  test('keys of a user say whose they are, can be listed, switched off, used, renamed and deleted', async () => {
    const user = await store().transact((tx) => tx.iam.insert(newEntity('user', 'alice')))
    if (user === undefined) throw new Error('the name was free')
    const { id, uniqueId, tags } = user
    const arn = 'arn:aws:iam::123456789012:user/alice'
    const own = { ...key, principalArn: arn, user: { id, uniqueId, tags } }
    await store().transact(async (tx) => {
      for (const accessKeyId of ['AKIA1', 'AKIA2', 'AKIA3']) await tx.credentials.putAccessKey({ ...own, accessKeyId })
      await tx.credentials.putAccessKey(key)
    })
    const { credentials } = store().view
    expect(await credentials.findAccessKey('AKIA1')).toEqual({ ...own, accessKeyId: 'AKIA1' })
    const page = await credentials.listAccessKeys(arn, { after: 'AKIA1', limit: 1 })
    expect(page.map(({ accessKeyId }) => accessKeyId)).toEqual(['AKIA2'])
    expect(page[0]).not.toHaveProperty('secretAccessKey')

    const revision = store().policyRevision
    const use = { at: minute(3), region: 'eu-west-3', service: 'ecr' }
    await store().transact((tx) => tx.credentials.recordKeyUses(new Map([['AKIA2', use]])))
    expect(store().policyRevision).toBe(revision)
    await store().transact(async (tx) => {
      await tx.credentials.setAccessKeyStatus('AKIA1', 'Inactive')
      await tx.credentials.renamePrincipal(id, 'other')
      await tx.credentials.deleteAccessKey('AKIA3')
    })
    expect(store().policyRevision).toBe(revision + 1)
    expect((await credentials.listAccessKeys('other', { limit: 9 })).map((one) => [one.status, one.lastUsed])).toEqual([
      ['Inactive', undefined],
      ['Active', use],
    ])
    expect(await credentials.findAccessKey(key.accessKeyId)).toEqual(key)
    await store().transact((tx) => tx.iam.delete(id))
    expect(await credentials.findAccessKey('AKIA1')).toBeUndefined()
    expect(await credentials.countAccessKeys()).toBe(1)
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
