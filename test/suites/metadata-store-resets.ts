import { expect, test } from 'bun:test'
import { parseRegion, parseRegistryId, type Registry } from '../../src/domain/names.ts'
import type { ResetScope } from '../../src/domain/reset-scope.ts'
import { plain } from './blob-bytes.ts'
import { newTemplate } from './metadata-store-creation-templates.ts'
import { newKey, newMaterial } from './metadata-store-keys.ts'
import {
  addBlob,
  addImage,
  addRepository,
  digestOf,
  minute,
  OTHER_REGISTRY,
  REGISTRY,
  refOf,
  type StoreOf,
} from './metadata-store-records.ts'

const OTHER_ACCOUNT: Registry = { registryId: parseRegistryId('999999999999'), region: parseRegion('eu-west-3') }
const REGISTRIES = [REGISTRY, OTHER_REGISTRY, OTHER_ACCOUNT]
const ALL = { registryId: undefined, region: undefined }

export function resetCases(store: StoreOf): void {
  const reset = (scope: ResetScope) => store().transact((tx) => tx.resets.reset(scope))

  /** A repository with an image and a policy, and one of everything a registry has, in each of them. */
  async function fill(): Promise<void> {
    for (const registry of REGISTRIES) {
      const repository = await addRepository(store(), 'app', registry)
      const blobs = [{ digest: digestOf('layer'), mediaType: 'layer' }]
      await addBlob(store(), repository.id, digestOf('layer'))
      await addImage(store(), repository.id, 'image', { tags: ['v1'], blobs })
      await store().transact(async (tx) => {
        await tx.policies.putOfRepository(repository, 'of the repository')
        await tx.policies.putOfRegistry(registry, 'of the registry')
        await tx.accounts.putSetting(registry, 'BLOB_MOUNTING', 'ENABLED')
        await tx.accounts.insertPullTimeExclusion(registry, 'arn:aws:iam::1:role/a', minute(1))
        await tx.creationTemplates.insert(newTemplate('prod', registry))
        await tx.signings.putConfiguration(registry, { rules: [] })
        await tx.lifecycle.putPolicy(
          { repositoryId: repository.id, policyId: `of ${repository.id}`, text: 'rules', putAt: minute(1) },
          minute(1),
        )
      })
    }
  }

  /** Which of the things of a registry are left. */
  async function left(registry: Registry): Promise<string> {
    const { view } = store()
    const due = await view.lifecycle.listDue(minute(2), 10)
    const parts = {
      repository: (await view.repositories.find(refOf('app', registry))) !== undefined,
      repositoryPolicy: (await view.policies.ofRepository(refOf('app', registry))) !== undefined,
      lifecycle: due.some(({ repository }) => Bun.deepEquals(repository.registry, registry)),
      registryPolicy: (await view.policies.ofRegistry(registry)).text !== undefined,
      setting: (await view.accounts.findSetting(registry, 'BLOB_MOUNTING')) !== undefined,
      exclusion: (await view.accounts.listPullTimeExclusions(registry, { limit: 1 })).length > 0,
      template: (await view.creationTemplates.list(registry, { limit: 1 })).length > 0,
      signing: (await view.signings.findConfiguration(registry)) !== undefined,
    }
    const names = Object.entries(parts).flatMap(([name, isThere]) => (isThere ? [name] : []))
    return names.length === Object.keys(parts).length ? 'all' : names.join(' ')
  }
  const leftEverywhere = () => Promise.all(REGISTRIES.map(left))

  test('everything goes, of every account and region', async () => {
    await fill()
    expect(await leftEverywhere()).toEqual(['all', 'all', 'all'])
    expect(await reset(ALL)).toEqual({ repositories: 3 })
    expect(await leftEverywhere()).toEqual(['', '', ''])
    expect(await reset(ALL)).toEqual({ repositories: 0 })
  })

  test.each([
    ['one account', { ...ALL, registryId: REGISTRY.registryId }, ['', '', 'all'], 2],
    ['one region of all accounts', { ...ALL, region: REGISTRY.region }, ['', 'all', ''], 2],
    ['one region of one account', REGISTRY, ['', 'all', 'all'], 1],
  ] as const)('%s goes, and nothing else', async (_name, scope, expected, repositories) => {
    await fill()
    expect(await reset(scope)).toEqual({ repositories })
    expect(await leftEverywhere()).toEqual([...expected])
  })

  test("an account's public registry goes with the account, not with a region", async () => {
    const { registryId, region } = REGISTRY
    const alias = { name: 'acme', registryId, status: 'ACTIVE', isPrimary: true, isDefault: true } as const
    await store().transact(async (tx) => {
      await tx.publicRegistries.insertAlias(alias)
      await tx.publicRegistries.putDisplayName(registryId, 'Acme')
    })
    await reset({ registryId, region })
    expect(await store().view.publicRegistries.findAlias('acme')).toBeDefined()
    await reset({ ...ALL, registryId: OTHER_ACCOUNT.registryId })
    expect(await store().view.publicRegistries.findDisplayName(registryId)).toBe('Acme')
    await reset({ ...ALL, registryId })
    expect(await store().view.publicRegistries.findAlias('acme')).toBeUndefined()
    expect(await store().view.publicRegistries.findDisplayName(registryId)).toBeUndefined()
  })

  test('one repository goes with its policies, and what its registry keeps beside it stays', async () => {
    await fill()
    await addRepository(store(), 'app2')
    expect(await reset({ repository: refOf('app') })).toEqual({ repositories: 1 })
    expect(await leftEverywhere()).toEqual(['registryPolicy setting exclusion template signing', 'all', 'all'])
    expect(await store().view.repositories.find(refOf('app2'))).toBeDefined()
    expect(await reset({ repository: refOf('app') })).toEqual({ repositories: 0 })
  })

  test('names are free at once, and content is purged as that of deleted repositories', async () => {
    await fill()
    await reset(ALL)
    const again = await addRepository(store(), 'app')
    expect(await store().view.images.count(again.id)).toBe(0)
    expect(await store().view.blobs.findLinked(again.id, digestOf('layer'))).toBeUndefined()
    while ((await store().transact((tx) => tx.repositories.purgeDeleted(10))) > 0);
    expect(await store().view.blobs.listDead(minute(60), 10)).toEqual([{ ...plain(digestOf('layer')), sizeBytes: 100 }])
    expect(await store().view.repositories.find(refOf('app'))).toEqual(again)
  })

  test('keys and secrets stay, and the revision of policies changes', async () => {
    const key = {
      accessKeyId: 'AKIA',
      secretAccessKey: 'secret',
      accountId: REGISTRY.registryId,
      principalArn: `arn:aws:iam::${REGISTRY.registryId}:root`,
      createdAt: minute(1),
      status: 'Active' as const,
    }
    const secret = new Uint8Array([1, 2, 3])
    await store().transact(async ({ credentials }) => {
      await credentials.putAccessKey(key)
      await credentials.keepSecret('token-signing-key', secret)
    })
    const revision = store().policyRevision
    await reset(ALL)
    expect(store().policyRevision).not.toBe(revision)
    expect(await store().view.credentials.findAccessKey('AKIA')).toEqual(key)
    expect(await store().view.credentials.findSecret('token-signing-key')).toEqual(secret)
  })

  test("keys of KMS and secrets of Secrets Manager go with all that is theirs, and other regions' stay", async () => {
    const moments = { createdAt: minute(1), changedAt: minute(1) }
    for (const [number, home] of [REGISTRY, OTHER_REGISTRY].entries())
      await store().transact(async (tx) => {
        const { id, keyId } = await tx.keys.insert(newKey(number, { home }), newMaterial(number))
        await tx.keys.insertAlias({ home, name: 'alias/a', keyId, createdAt: minute(1), updatedAt: minute(1) })
        await tx.keys.putTags(id, [{ key: 'a', value: 'b' }])
        const secret = await tx.managedSecrets.insert({ home, name: 'one', suffix: 'abcdef', ...moments })
        const body = new Uint8Array([1])
        await tx.managedSecrets.putVersion(secret.id, { versionId: 'v', stages: [], createdAt: minute(1), body })
        await tx.managedSecrets.putTags(secret.id, [{ key: 'a', value: 'b' }])
      })
    await reset(REGISTRY)
    for (const [home, count] of [
      [REGISTRY, 0],
      [OTHER_REGISTRY, 1],
    ] as const) {
      expect(await store().view.keys.list(home, { limit: 9 })).toHaveLength(count)
      expect(await store().view.keys.listAliases(home, { limit: 9 })).toHaveLength(count)
      expect(await store().view.managedSecrets.list(home)).toHaveLength(count)
    }
    expect(await store().view.keys.findMaterial(newKey(0).keyId)).toBeUndefined()
  })
}
