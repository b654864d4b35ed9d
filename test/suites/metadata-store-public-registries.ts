import { expect, test } from 'bun:test'
import { parseRegistryId, parseTag, type Tag } from '../../src/domain/names.ts'
import { publicRegistry, type RegistryAlias } from '../../src/domain/public-registry.ts'
import { addImage, addRepository, digestOf, minute, type StoreOf, turnPages } from './metadata-store-records.ts'

const OWNER = parseRegistryId('123456789012')
const OTHER = parseRegistryId('999999999999')

export function publicRegistryCases(store: StoreOf): void {
  const view = () => store().view.publicRegistries
  const aliasOf = (name: string, more: Partial<RegistryAlias> = {}): RegistryAlias => ({
    ...{ name, registryId: OWNER, status: 'ACTIVE', isPrimary: false, isDefault: true },
    ...more,
  })

  test('an alias leads to one account', async () => {
    const insert = (alias: RegistryAlias) => store().transact((tx) => tx.publicRegistries.insertAlias(alias))
    const pending = aliasOf('a-name', { status: 'PENDING', isPrimary: true, isDefault: false })
    expect(await insert(aliasOf('default'))).toBe(true)
    expect(await insert(pending)).toBe(true)
    expect(await insert(aliasOf('default', { registryId: OTHER }))).toBe(false)
    expect(await view().findAlias('default')).toEqual(aliasOf('default'))
    expect(await view().findAlias('nobody')).toBeUndefined()
    expect(await view().listAliases(OWNER)).toEqual([pending, aliasOf('default')])
    expect(await view().listAliases(OTHER)).toEqual([])
  })

  test('of the aliases of an account one is the primary one, and any may go', async () => {
    for (const alias of [aliasOf('one', { isPrimary: true }), aliasOf('two'), aliasOf('three', { registryId: OTHER })])
      await store().transact((tx) => tx.publicRegistries.insertAlias(alias))
    await store().transact((tx) => tx.publicRegistries.makePrimary(OWNER, 'two'))
    expect((await view().listAliases(OWNER)).map(({ name, isPrimary }) => [name, isPrimary])).toEqual([
      ['one', false],
      ['two', true],
    ])
    expect(await view().findAlias('three')).toMatchObject({ isPrimary: false })
    await store().transact((tx) => tx.publicRegistries.deleteAlias('two'))
    expect(await view().findAlias('two')).toBeUndefined()
  })

  test('the last display name counts', async () => {
    expect(await view().findDisplayName(OWNER)).toBeUndefined()
    for (const name of ['First', 'Second'])
      await store().transact((tx) => tx.publicRegistries.putDisplayName(OWNER, name))
    expect(await view().findDisplayName(OWNER)).toBe('Second')
    expect(await view().findDisplayName(OTHER)).toBeUndefined()
  })

  test('catalog data is replaced as a whole, with its logo, and goes with the repository', async () => {
    const { id } = await addRepository(store(), 'app', publicRegistry(OWNER))
    const logo = new Uint8Array([1, 2, 3])
    const put = (...args: [data: object, logo: Uint8Array | undefined]) =>
      store().transact((tx) => tx.publicRegistries.putCatalog(id, ...args))
    expect(await view().findCatalog(id)).toBeUndefined()
    await put({ description: 'd', architectures: ['x86'], logoId: 'l' }, logo)
    expect(await view().findCatalog(id)).toEqual({ description: 'd', architectures: ['x86'], logoId: 'l' })
    expect(await view().findLogo('l')).toEqual(logo)
    await put({ aboutText: 'a' }, undefined)
    expect(await view().findCatalog(id)).toEqual({ aboutText: 'a' })
    expect(await view().findLogo('l')).toBeUndefined()
    await store().transact((tx) => tx.repositories.delete(id))
    while ((await store().transact((tx) => tx.repositories.purgeDeleted(10))) > 0);
    expect(await view().findCatalog(id)).toBeUndefined()
  })

  test('what an address has pulled adds up, month by month', async () => {
    const [november, december] = ['2026-11', '2026-12'].map((month) => ({ month, address: '192.0.2.1' }))
    if (november === undefined || december === undefined) throw new Error('There are two months')
    const add = (...args: [puller: typeof november, bytes: number]) =>
      store().transact((tx) => tx.publicRegistries.addPulledBytes(...args))
    expect(await view().pulledBytes(november)).toBe(0)
    await add(november, 500_000_000_000)
    await add(november, 7)
    await add({ ...november, address: '192.0.2.2' }, 1)
    expect(await view().pulledBytes(november)).toBe(500_000_000_007)
    await add(december, 3)
    expect(await view().pulledBytes(december)).toBe(3)
    expect(await view().pulledBytes(november)).toBe(0)
  })

  test('tags page in ascending order with their images', async () => {
    const { id } = await addRepository(store(), 'app', publicRegistry(OWNER))
    await addImage(store(), id, 1, { tags: ['c', 'a'] })
    await addImage(store(), id, 2, { tags: ['b'] })
    const details = await turnPages(
      2,
      (page: { readonly after?: Tag | undefined; readonly limit: number }) => view().listTagDetails(id, page),
      ({ tag }) => tag,
    )
    expect(details.map(({ tag, image }) => [tag, image.digest])).toEqual([
      [parseTag('a'), digestOf(1)],
      [parseTag('b'), digestOf(2)],
      [parseTag('c'), digestOf(1)],
    ])
    expect(details[0]).toMatchObject({ setAt: minute(1), image: { sizeBytes: 1000, pushedAt: minute(1) } })
  })
}
