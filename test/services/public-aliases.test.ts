import { afterEach, beforeEach, expect, test } from 'bun:test'
import { parseRegistryId, parseRepositoryName } from '../../src/domain/names.ts'
import { publicRegistry } from '../../src/domain/public-registry.ts'
import { randomIds } from '../../src/lib/ids.ts'
import { PublicAliases } from '../../src/services/repositories/public-aliases.ts'
import { admin, createServices, type Services } from '../support/service-fixture.ts'

const OWNER = admin.accountId
const OTHER = parseRegistryId('999999999999')

let services: Services
let aliases: PublicAliases
beforeEach(async () => {
  services = await createServices()
  aliases = new PublicAliases(services.metadata, randomIds)
})
afterEach(() => services.close())

const shown = async () => (await aliases.list(OWNER)).filter(({ isPrimary }) => isPrimary).map(({ name }) => name)

test('images are found under an alias of choice as well as under the default one', async () => {
  const ref = { registry: publicRegistry(OWNER), name: parseRepositoryName('team/app') }
  await services.publicRegistries.createRepository(admin, ref, { tags: [] })
  const first = await services.publicRegistries.primaryAlias(OWNER)
  expect(await aliases.add(OWNER, 'acme', false)).toEqual({
    ...{ name: 'acme', registryId: OWNER, status: 'ACTIVE', isPrimary: false, isDefault: false },
  })
  for (const name of ['acme', first]) expect(await services.publicRegistries.findRegistry(name)).toEqual(ref.registry)
  expect(await shown()).toEqual([first])
  expect(await services.publicRegistries.aliases(admin)).toHaveLength(2)
})

test('the primary one is shown, and there is one of these', async () => {
  await aliases.add(OWNER, 'acme', true)
  expect(await services.publicRegistries.primaryAlias(OWNER)).toBe('acme')
  await aliases.add(OWNER, 'acme.tools', false)
  await aliases.add(OWNER, 'acme.tools', true)
  expect(await shown()).toEqual(['acme.tools'])
  expect(await aliases.list(OWNER)).toHaveLength(3)
})

test('an account that has no repository yet has its default alias with the first one of choice', async () => {
  await aliases.add(OWNER, 'acme', false)
  const [chosen, byDefault] = await aliases
    .list(OWNER)
    .then((all) => all.toSorted((a, b) => +a.isDefault - +b.isDefault))
  expect(chosen).toMatchObject({ name: 'acme', isPrimary: false })
  expect(byDefault).toMatchObject({ isPrimary: true, isDefault: true })
  const ref = { registry: publicRegistry(OWNER), name: parseRepositoryName('app') }
  await services.publicRegistries.createRepository(admin, ref, { tags: [] })
  expect(await aliases.list(OWNER)).toHaveLength(2)
})

test('one that is taken away leads nowhere, and the default one is shown again', async () => {
  await aliases.add(OWNER, 'acme', true)
  expect(await aliases.remove('acme')).toMatchObject({ name: 'acme', registryId: OWNER })
  expect(await services.publicRegistries.findRegistry('acme')).toBeUndefined()
  expect(await aliases.list(OWNER)).toEqual([expect.objectContaining({ isDefault: true, isPrimary: true })])
  await aliases.add(OTHER, 'acme', false)
  expect(await services.publicRegistries.findRegistry('acme')).toEqual(publicRegistry(OTHER))
})

test.each(['a', 'Acme', '1acme', 'acme/tools', 'acme__tools', 'a'.repeat(51), ''])('%p is no alias', async (name) => {
  await expect(aliases.add(OWNER, name, false)).rejects.toMatchObject({ code: 'invalid-parameter' })
  expect(await aliases.list(OWNER)).toEqual([])
})

test('what another account has, what is not there, and the default one', async () => {
  await aliases.add(OTHER, 'acme', false)
  await expect(aliases.add(OWNER, 'acme', true)).rejects.toThrow("The alias 'acme' is taken.")
  expect(await aliases.list(OWNER)).toEqual([])
  await expect(aliases.remove('nobody')).rejects.toThrow("There is no alias 'nobody'.")
  const byDefault = (await aliases.list(OTHER)).find(({ isDefault }) => isDefault)
  await expect(aliases.remove(byDefault?.name ?? '')).rejects.toThrow('came with the registry and stays')
})
