import { expect, test } from 'bun:test'
import type { Grant } from '../../src/domain/kms/grant.ts'
import { type KeyMaterial, type NewKmsKey, rotationOf } from '../../src/domain/kms/key.ts'
import { minute, REGISTRY, type StoreOf } from './metadata-store-records.ts'

/** A key of a number: its id ends with it. */
export function newKey(number: number, changes: Partial<NewKmsKey> = {}): NewKmsKey {
  return {
    keyId: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
    home: REGISTRY,
    manager: 'CUSTOMER',
    state: 'Enabled',
    description: '',
    policy: '{}',
    createdAt: minute(1),
    ...changes,
  }
}

export function newMaterial(number: number): KeyMaterial {
  return { materialId: String(number).padStart(64, '0'), bytes: new Uint8Array(32).fill(number) }
}

function newGrant(number: number, grantee: string): Grant {
  return {
    grantId: String(number).padStart(64, '0'),
    token: `token ${number}`,
    name: 'reader',
    grantee,
    retiringPrincipal: 'retirer',
    operations: ['Decrypt', 'DescribeKey'],
    constraints: { subset: { a: 'b' } },
    issuingAccount: REGISTRY.registryId,
    createdAt: minute(2),
  }
}

export function keyCases(store: StoreOf): void {
  const insert = (number: number, changes: Partial<NewKmsKey> = {}) =>
    store().transact((tx) => tx.keys.insert(newKey(number, changes), newMaterial(number)))
  const keys = () => store().view.keys

  test('a key comes back with its material, also after it was changed', async () => {
    const key = await insert(1)
    expect(await keys().find(key.keyId)).toEqual({ ...key, deletion: undefined, rotation: undefined })
    expect((await keys().findMaterial(key.keyId))?.material).toEqual(newMaterial(1))
    const deletion = { at: minute(9), windowDays: 7 }
    const changed = { ...key, state: 'PendingDeletion', description: 'new', policy: '{ }', deletion } as const
    await store().transact((tx) => tx.keys.update({ ...changed, rotation: rotationOf(90, minute(1)) }))
    expect(await keys().find(key.keyId)).toEqual({ ...changed, rotation: rotationOf(90, minute(1)) })
    expect(await keys().find(newKey(2).keyId)).toBeUndefined()
  })

  test('an older material is found by its id, the newest without one', async () => {
    const { id, keyId } = await insert(1)
    await store().transact((tx) => tx.keys.addMaterial(id, newMaterial(2), minute(2)))
    expect((await keys().findMaterial(keyId))?.material).toEqual(newMaterial(2))
    expect((await keys().findMaterial(keyId, newMaterial(1).materialId))?.material).toEqual(newMaterial(1))
    expect(await keys().findMaterial(keyId, newMaterial(3).materialId)).toBeUndefined()
    expect(await keys().currentMaterialId(id)).toBe(newMaterial(2).materialId)
  })

  test('a destroyed key takes everything with it', async () => {
    const { id, keyId } = await insert(1)
    await store().transact(async (tx) => {
      await tx.keys.insertAlias({ home: REGISTRY, name: 'alias/a', keyId, createdAt: minute(1), updatedAt: minute(1) })
      await tx.keys.putTags(id, [{ key: 'a', value: 'b' }])
      await tx.keys.insertGrant(id, newGrant(1, 'a'))
      await tx.keys.destroy(id)
    })
    expect(await keys().find(keyId)).toBeUndefined()
    expect(await keys().findMaterial(keyId, newMaterial(1).materialId)).toBeUndefined()
    expect(await keys().findAlias(REGISTRY, 'alias/a')).toBeUndefined()
    expect(await keys().listTags(id)).toEqual([])
    expect(await keys().findGrantByToken('token 1')).toBeUndefined()
  })

  test('keys are listed by id, a page at a time, and counted', async () => {
    for (const number of [3, 1, 2]) await insert(number)
    await insert(4, { home: { ...REGISTRY, region: 'us-west-2' as never } })
    const page = async (after?: string) =>
      (await keys().list(REGISTRY, { after, limit: 2 })).map(({ keyId }) => Number(keyId.slice(-1)))
    expect([await page(), await page(newKey(2).keyId)]).toEqual([[1, 2], [3]])
    expect(await keys().count(REGISTRY)).toBe(3)
  })

  test('an alias points at one key, and can be turned to another', async () => {
    const [one, other] = [await insert(1), await insert(2)]
    const alias = { home: REGISTRY, name: 'alias/a', keyId: one.keyId, createdAt: minute(1), updatedAt: minute(1) }
    await store().transact((tx) => tx.keys.insertAlias(alias))
    await expect(store().transact((tx) => tx.keys.insertAlias(alias))).rejects.toMatchObject({
      code: 'key-alias-exists',
    })
    expect(await keys().findAlias(REGISTRY, alias.name)).toEqual(alias)
    const turned = { ...alias, keyId: other.keyId, updatedAt: minute(2) }
    await store().transact((tx) => tx.keys.updateAlias(turned))
    await store().transact((tx) => tx.keys.insertAlias({ ...alias, name: 'alias/b' }))
    expect(await keys().listAliases(REGISTRY, { limit: 9 })).toEqual([turned, { ...alias, name: 'alias/b' }])
    expect(await keys().listAliases(REGISTRY, { limit: 9 }, other.keyId)).toEqual([turned])
    await store().transact((tx) => tx.keys.deleteAlias(REGISTRY, 'alias/a'))
    expect(await keys().findAlias(REGISTRY, 'alias/a')).toBeUndefined()
  })

  test('tags are put over one another, and taken away', async () => {
    const { id } = await insert(1)
    await store().transact(async (tx) => {
      await tx.keys.putTags(id, [
        { key: 'b', value: '1' },
        { key: 'a', value: '2' },
      ])
      await tx.keys.putTags(id, [{ key: 'b', value: '3' }])
    })
    expect(await keys().listTags(id)).toEqual([
      { key: 'a', value: '2' },
      { key: 'b', value: '3' },
    ])
    await store().transact((tx) => tx.keys.deleteTags(id, ['a', 'none']))
    expect(await keys().listTags(id)).toEqual([{ key: 'b', value: '3' }])
  })

  test('grants are found by id, by whom they were given, and by token', async () => {
    const { id, keyId } = await insert(1)
    const [a, b] = [newGrant(1, 'a'), newGrant(2, 'b')]
    await store().transact(async (tx) => {
      for (const grant of [b, a]) await tx.keys.insertGrant(id, grant)
    })
    expect(await keys().listGrants(id, {}, { limit: 9 })).toEqual([a, b])
    expect(await keys().listGrants(id, { grantee: 'b' }, { limit: 9 })).toEqual([b])
    expect(await keys().listGrants(id, { grantId: a.grantId }, { limit: 9 })).toEqual([a])
    expect(await keys().listGrants(id, {}, { after: a.grantId, limit: 9 })).toEqual([b])
    expect(await keys().grantsFor(id, ['a', 'c'])).toEqual([a])
    expect(await keys().findGrantByToken('token 2')).toEqual({ keyId, grant: b })
    expect(await keys().countGrants(id)).toBe(2)
    const drop = () => store().transact((tx) => tx.keys.deleteGrant(id, a.grantId))
    expect([await drop(), await drop()]).toEqual([true, false])
  })

  test('what is due is found: deletions and rotations', async () => {
    await insert(1)
    await insert(2, { deletion: { at: minute(5), windowDays: 7 }, state: 'PendingDeletion' })
    await insert(3, { rotation: { periodDays: 90, nextAt: minute(6) } })
    const due = async (at: Date) => (await keys().listDue(at, 9)).map(({ keyId }) => Number(keyId.slice(-1)))
    expect([await due(minute(4)), await due(minute(5)), await due(minute(6))]).toEqual([[], [2], [2, 3]])
  })
}
