import { expect, test } from 'bun:test'
import type { SecretVersion } from '../../src/domain/secrets/secret.ts'
import { minute, OTHER_REGISTRY, REGISTRY, type StoreOf } from './metadata-store-records.ts'

const secret = { home: REGISTRY, name: 'app/token', suffix: 'abcdef', createdAt: minute(1), changedAt: minute(2) }

function version(versionId: string, number: number): SecretVersion {
  return { versionId, stages: ['AWSCURRENT'], createdAt: minute(number), body: new Uint8Array([number]) }
}

export function managedSecretCases(store: StoreOf): void {
  const secrets = () => store().view.managedSecrets
  const insert = () => store().transact((tx) => tx.managedSecrets.insert(secret))

  test('a secret comes back, also after it was changed, and its name is its own', async () => {
    const made = await insert()
    expect(await secrets().find(REGISTRY, secret.name)).toMatchObject(made)
    expect(await secrets().find(OTHER_REGISTRY, secret.name)).toBeUndefined()
    await expect(insert()).rejects.toMatchObject({ code: 'secret-exists' })
    const changed = {
      ...made,
      ...{ description: 'd', type: 't', kmsKeyArn: 'arn', changedAt: minute(3), accessedAt: minute(4) },
      deletionAt: minute(5),
    }
    await store().transact((tx) => tx.managedSecrets.update(changed))
    expect(await secrets().find(REGISTRY, secret.name)).toEqual(changed)
    expect(await secrets().listDue(minute(4), 9)).toEqual([])
    expect(await secrets().listDue(minute(5), 9)).toEqual([changed])
  })

  test('versions come back in the order of their making, with the values that they were given', async () => {
    const { id } = await insert()
    const second = { ...version('b', 2), kmsKeyArn: 'arn', wrappedKey: new Uint8Array([9]) }
    await store().transact(async (tx) => {
      await tx.managedSecrets.putVersion(id, second)
      await tx.managedSecrets.putVersion(id, version('a', 1))
      await tx.managedSecrets.setStages(id, 'a', ['x', 'y'])
    })
    expect(await secrets().listVersions(id)).toEqual([
      { ...version('a', 1), stages: ['x', 'y'], kmsKeyArn: undefined, wrappedKey: undefined },
      second,
    ])
    await store().transact((tx) => tx.managedSecrets.deleteVersion(id, 'a'))
    expect(await secrets().listVersions(id)).toEqual([second])
  })

  test('a listing has tags and versions of each', async () => {
    const { id } = await insert()
    await store().transact(async (tx) => {
      await tx.managedSecrets.insert({ ...secret, name: 'another' })
      await tx.managedSecrets.putVersion(id, version('a', 1))
      await tx.managedSecrets.putTags(id, [{ key: 'k', value: 'v' }])
    })
    expect(await secrets().list(REGISTRY)).toMatchObject([
      { secret: { name: 'another' }, tags: [], versions: [] },
      { secret: { id }, tags: [{ key: 'k', value: 'v' }], versions: [{ versionId: 'a', stages: ['AWSCURRENT'] }] },
    ])
    await store().transact(async (tx) => {
      await tx.managedSecrets.deleteTags(id, ['k', 'none'])
      expect(await tx.managedSecrets.listTags(id)).toEqual([])
      await tx.managedSecrets.delete(id)
    })
    expect(await secrets().find(REGISTRY, secret.name)).toBeUndefined()
    expect(await secrets().listVersions(id)).toEqual([])
  })
}
