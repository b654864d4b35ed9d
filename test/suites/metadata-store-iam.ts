import { expect, test } from 'bun:test'
import type { EntityAttributes, EntityKind, NewEntity } from '../../src/domain/iam-entities/entity.ts'
import { parseRegistryId } from '../../src/domain/names.ts'
import type { MetadataWriter } from '../../src/stores/metadata.ts'
import { minute, REGISTRY, type StoreOf } from './metadata-store-records.ts'

const ATTRIBUTES: EntityAttributes = {
  user: {},
  group: {},
  role: { trustPolicy: '{}', maxSessionSeconds: 3600 },
  policy: { defaultVersion: 1, lastVersion: 1, updatedAt: 1 },
  'oidc-provider': { url: 'https://example.com', clientIds: ['a'], thumbprints: [] },
}

/** An entity of the default account. */
export function newEntity<Kind extends EntityKind>(kind: Kind, name: string): NewEntity<Kind> {
  return {
    accountId: REGISTRY.registryId,
    kind,
    name,
    path: '/',
    uniqueId: `${kind} ${name}`,
    createdAt: minute(1),
    tags: [],
    attributes: ATTRIBUTES[kind],
  }
}

const OTHER_ACCOUNT = parseRegistryId('999999999999')

export function iamCases(store: StoreOf): void {
  async function add<Kind extends EntityKind>(entity: NewEntity<Kind>) {
    const added = await store().transact((tx) => tx.iam.insert(entity))
    if (added === undefined) throw new Error('the name was free')
    return added
  }
  const write = <T>(work: (tx: MetadataWriter['iam']) => Promise<T>) => store().transact((tx) => work(tx.iam))
  const names = (entities: readonly { readonly name: string }[]) => entities.map(({ name }) => name)
  const { registryId } = REGISTRY

  test('entities come back whole, by name however it is capitalised, and by their id', async () => {
    const { iam } = store().view
    const given = { ...newEntity('role', 'Deploy'), tags: [{ key: 'a', value: 'b' }], boundaryArn: 'arn', path: '/x/' }
    const role = await add(given)
    expect(role).toEqual({ ...given, id: role.id })
    expect(await iam.find('role', registryId, 'dEPLOY')).toEqual(role)
    expect(await iam.findByUniqueId('role Deploy')).toEqual(role)
    expect(await iam.find('user', registryId, 'Deploy')).toBeUndefined()
    expect(await iam.find('role', OTHER_ACCOUNT, 'Deploy')).toBeUndefined()
  })

  test('a name is given once for each kind and account', async () => {
    await add(newEntity('user', 'alice'))
    expect(await write((iam) => iam.insert({ ...newEntity('user', 'ALICE'), uniqueId: 'x' }))).toBeUndefined()
    await add(newEntity('group', 'alice'))
    await add({ ...newEntity('user', 'alice'), uniqueId: 'y', accountId: OTHER_ACCOUNT })
    expect(await store().view.iam.counts(registryId)).toEqual(new Map([['group', 1] as const, ['user', 1] as const]))
  })

  test('lists go by name, in pages, and below a path', async () => {
    for (const name of ['b', 'A', 'c']) await add({ ...newEntity('user', name), path: name === 'b' ? '/' : '/t/' })
    const { iam } = store().view
    expect(names(await iam.list('user', registryId, { limit: 10 }))).toEqual(['A', 'b', 'c'])
    expect(names(await iam.list('user', registryId, { after: 'a', limit: 1 }))).toEqual(['b'])
    expect(names(await iam.list('user', registryId, { pathPrefix: '/t/', limit: 10 }))).toEqual(['A', 'c'])
    expect(await iam.list('user', OTHER_ACCOUNT, { limit: 10 })).toEqual([])
  })

  test('what changes of an entity is recorded', async () => {
    const user = await add(newEntity('user', 'alice'))
    const changed = { ...user, name: 'bob', path: '/p/', boundaryArn: 'arn' }
    await write(async (iam) => {
      await iam.update(changed)
      await iam.setTags(user.id, [{ key: 'k', value: 'v' }])
      await iam.noteUse(user.uniqueId, minute(9), 'eu-west-3')
    })
    expect(await store().view.iam.find('user', registryId, 'alice')).toBeUndefined()
    expect(await store().view.iam.find('user', registryId, 'bob')).toEqual({
      ...changed,
      tags: [{ key: 'k', value: 'v' }],
      lastUsed: { at: minute(9), region: 'eu-west-3' },
    })
  })

  test('inline policies, attachments and versions', async () => {
    const { iam } = store().view
    const role = await add(newEntity('role', 'r'))
    const policy = await add(newEntity('policy', 'p'))
    await write(async (tx) => {
      await tx.putInline(role.id, { name: 'one', text: '1' })
      await tx.putInline(role.id, { name: 'one', text: '2' })
      await tx.putInline(role.id, { name: 'a', text: '3' })
      await tx.attach(role, 'arn')
      await tx.attach(role, 'arn')
      await tx.update({ ...role, boundaryArn: 'arn' })
      for (const number of [1, 2])
        await tx.insertVersion(policy.id, { number, text: `v${number}`, createdAt: minute(number) })
    })
    expect(await iam.findInline(role.id, 'one')).toEqual({ name: 'one', text: '2' })
    expect(names(await iam.listInline(role.id))).toEqual(['a', 'one'])
    expect(await iam.listAttached(role.id)).toEqual(['arn'])
    expect(names(await iam.listAttachedTo(registryId, 'arn'))).toEqual(['r'])
    expect(names(await iam.listBoundedBy(registryId, 'arn'))).toEqual(['r'])
    expect(await iam.listAttachedTo(OTHER_ACCOUNT, 'arn')).toEqual([])
    const use = { attachmentCount: 1, boundaryCount: 1 }
    expect(await iam.policyUse(registryId, 'arn')).toEqual(use)
    expect(await iam.policyUses(registryId)).toEqual(new Map([['arn', use]]))
    expect(await iam.policyUses(OTHER_ACCOUNT)).toEqual(new Map())
    expect((await iam.listVersions(policy.id)).map(({ text }) => text)).toEqual(['v2', 'v1'])
    expect(await iam.findVersion(policy.id, 1)).toEqual({ number: 1, text: 'v1', createdAt: minute(1) })
    expect(await write((tx) => tx.deleteInline(role.id, 'one'))).toBe(true)
    expect(await write((tx) => tx.deleteInline(role.id, 'one'))).toBe(false)
    expect(await write((tx) => tx.detach(role.id, 'arn'))).toBe(true)
    expect(await write((tx) => tx.detach(role.id, 'arn'))).toBe(false)
    await write((tx) => tx.deleteVersion(policy.id, 1))
    expect(await iam.findVersion(policy.id, 1)).toBeUndefined()
  })

  test("an identity's policies are its own and those of its groups", async () => {
    const user = await add({ ...newEntity('user', 'u'), tags: [{ key: 'k', value: 'v' }], boundaryArn: 'bound' })
    const group = await add(newEntity('group', 'g'))
    const stranger = await add(newEntity('group', 'other'))
    await write(async (tx) => {
      await tx.addMember(group.id, user.id)
      await tx.addMember(group.id, user.id)
      await tx.putInline(user.id, { name: 'own', text: '1' })
      await tx.putInline(group.id, { name: 'shared', text: '2' })
      await tx.putInline(stranger.id, { name: 'not', text: '3' })
      for (const arn of ['both', 'mine']) await tx.attach(user, arn)
      for (const arn of ['both', 'ours']) await tx.attach(group, arn)
    })
    const { iam } = store().view
    expect(await iam.findIdentity('user u')).toEqual({
      entity: user,
      inline: [
        { name: 'own', text: '1' },
        { name: 'shared', text: '2' },
      ],
      attachedArns: ['both', 'mine', 'ours'],
    })
    expect(await iam.findIdentity('group g')).toBeUndefined()
    expect(await iam.findIdentity('nobody')).toBeUndefined()
    expect(names(await iam.listMembers(group.id))).toEqual(['u'])
    expect(names(await iam.listGroupsOf(user.id))).toEqual(['g'])
    expect(await write((tx) => tx.removeMember(group.id, user.id))).toBe(true)
    expect(await write((tx) => tx.removeMember(group.id, user.id))).toBe(false)
    expect((await iam.findIdentity('user u'))?.attachedArns).toEqual(['both', 'mine'])
  })

  test('an entity takes along what hangs on it', async () => {
    const user = await add(newEntity('user', 'u'))
    const group = await add(newEntity('group', 'g'))
    const policy = await add(newEntity('policy', 'p'))
    await write(async (tx) => {
      await tx.addMember(group.id, user.id)
      await tx.putInline(user.id, { name: 'own', text: '1' })
      await tx.attach(user, 'arn')
      await tx.insertVersion(policy.id, { number: 1, text: '', createdAt: minute(1) })
      for (const { id } of [user, policy]) await tx.delete(id)
    })
    const { iam } = store().view
    expect(await iam.findByUniqueId(user.uniqueId)).toBeUndefined()
    expect(await iam.listMembers(group.id)).toEqual([])
    expect(await iam.policyUses(registryId)).toEqual(new Map())
    expect(await iam.listVersions(policy.id)).toEqual([])
  })

  test('every change of who may do what changes the revision, the use of a role does not', async () => {
    const role = await add(newEntity('role', 'r'))
    const group = await add(newEntity('group', 'g'))
    const changes: readonly ((tx: MetadataWriter['iam']) => Promise<unknown>)[] = [
      (tx) => tx.update(role),
      (tx) => tx.setTags(role.id, []),
      (tx) => tx.putInline(role.id, { name: 'a', text: 'b' }),
      (tx) => tx.deleteInline(role.id, 'a'),
      (tx) => tx.attach(role, 'arn'),
      (tx) => tx.detach(role.id, 'arn'),
      (tx) => tx.insertVersion(role.id, { number: 1, text: '', createdAt: minute(1) }),
      (tx) => tx.deleteVersion(role.id, 1),
      (tx) => tx.addMember(group.id, role.id),
      (tx) => tx.removeMember(group.id, role.id),
      (tx) => tx.delete(group.id),
    ]
    for (const change of changes) {
      const before = store().policyRevision
      await write(change)
      expect(store().policyRevision).toBe(before + 1)
    }
    const before = store().policyRevision
    await write((tx) => tx.noteUse(role.uniqueId, minute(1), 'r'))
    expect(store().policyRevision).toBe(before)
  })

  test('a reset of the account forgets them, and the keys of its users; other accounts keep theirs', async () => {
    const user = await add(newEntity('user', 'u'))
    const group = await add(newEntity('group', 'g'))
    const other = await add({ ...newEntity('user', 'u'), uniqueId: 'other', accountId: OTHER_ACCOUNT })
    const key = { secretAccessKey: 's', createdAt: minute(1), status: 'Active' as const }
    await store().transact(async (tx) => {
      await tx.iam.addMember(group.id, user.id)
      await tx.iam.putInline(user.id, { name: 'own', text: '1' })
      await tx.iam.attach(user, 'arn')
      for (const { id, uniqueId, tags, accountId } of [user, other])
        await tx.credentials.putAccessKey({
          ...{ ...key, accessKeyId: uniqueId, accountId, principalArn: uniqueId, user: { id, uniqueId, tags } },
        })
      await tx.resets.reset({ registryId, region: undefined })
    })
    const { iam, credentials } = store().view
    expect(await iam.counts(registryId)).toEqual(new Map())
    expect(await credentials.findAccessKey(user.uniqueId)).toBeUndefined()
    expect(await iam.findByUniqueId('other')).toBeDefined()
    expect(await credentials.findAccessKey('other')).toBeDefined()
    await store().transact((tx) => tx.resets.reset({ registryId: undefined, region: undefined }))
    expect(await iam.findByUniqueId('other')).toBeUndefined()
  })
}
