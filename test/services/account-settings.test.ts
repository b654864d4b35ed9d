import { afterEach, describe, expect, test } from 'bun:test'
import { parseRegion } from '../../src/domain/names.ts'
import { settingOf } from '../../src/services/account-settings.ts'
import {
  admin,
  createServices,
  manifestOf,
  pushLayer,
  refTo,
  registry,
  type Services,
  stranger,
} from '../support/service-fixture.ts'

const source = refTo('source')
const target = refTo('target')
let services: Services
afterEach(() => services.close())

const withCode = (code: string) => expect.objectContaining({ code })
const put = (name: string, value: string) => services.accountSettings.put(admin, registry, name, value)
const get = async (name: string) => (await services.accountSettings.get(admin, registry, name)).value

async function open(isMountOpen: boolean): Promise<void> {
  services = await createServices({ isMountOpen })
  for (const ref of [source, target]) await services.repositories.create(admin, ref)
}

describe('a setting', () => {
  test('has its default until it is put, in its region', async () => {
    await open(true)
    for (const [name, fallback, value] of [
      ['BASIC_SCAN_TYPE_VERSION', 'AWS_NATIVE', 'AWS_NATIVE'],
      ['BLOB_MOUNTING', 'DISABLED', 'ENABLED'],
      ['REGISTRY_POLICY_SCOPE', 'V2', 'V1'],
    ] as const) {
      expect(await get(name)).toBe(fallback)
      expect<unknown>(await put(name, value)).toEqual({ name, value })
      expect(await get(name)).toBe(value)
      const elsewhere = { ...registry, region: parseRegion('us-east-1') }
      expect((await services.accountSettings.get(admin, elsewhere, name)).value).toBe(fallback)
    }
    expect(await settingOf(services.metadata.view, registry, 'REGISTRY_POLICY_SCOPE')).toBe('V1')
  })

  test('of another name, or with a value that could not act, is refused', async () => {
    await open(true)
    for (const [name, value] of [
      ['BLOB_MOUNTING', 'enabled'],
      ['BLOB_MOUNTING', ''],
      ['BASIC_SCAN_TYPE_VERSION', 'CLAIR'],
      ['REGISTRY_POLICY_SCOPE', 'V3'],
      ['toString', 'V1'],
    ] as const)
      await expect(put(name, value)).rejects.toEqual(withCode('invalid-parameter'))
    await expect(get('blob_mounting')).rejects.toThrow(
      "Invalid parameter at 'name' failed to satisfy constraint: 'Member must satisfy enum value set: [BASIC_SCAN_TYPE_VERSION, BLOB_MOUNTING, REGISTRY_POLICY_SCOPE]'",
    )
    expect(await get('BLOB_MOUNTING')).toBe('DISABLED')
  })

  test("is the registry's own affair", async () => {
    await open(true)
    const { accountSettings } = services
    for (const answer of [
      () => accountSettings.get(stranger, registry, 'BLOB_MOUNTING'),
      () => accountSettings.put(stranger, registry, 'BLOB_MOUNTING', 'ENABLED'),
    ])
      await expect(answer()).rejects.toEqual(withCode('access-denied'))
  })
})

describe('BLOB_MOUNTING', () => {
  /** A layer that an image of the source needs, and one that none does yet. */
  const pushLayers = async () => {
    const [layer, loose] = [await pushLayer(services, source, 'layer'), await pushLayer(services, source, 'loose')]
    const config = await pushLayer(services, source, 'config')
    await services.images.push(admin, source, { manifest: manifestOf(config, [layer]), tags: [] })
    return { layer, loose }
  }
  const mount = (digest: Awaited<ReturnType<typeof pushLayer>>, from?: typeof source) =>
    services.layers.mount(admin, target, digest, from)

  test('unset: OCI mounts, ECR does not', async () => {
    for (const isOci of [true, false]) {
      await open(isOci)
      const { layer, loose } = await pushLayers()
      expect(await mount(layer, source)).toBe(isOci)
      expect(await mount(loose, source)).toBe(isOci)
      expect(await mount(loose)).toBe(isOci)
      if (isOci) await services.close()
    }
  })

  test.each([true, false])('DISABLED: nothing is mounted, and what was stays (as OCI has it: %p)', async (isOci) => {
    await open(isOci)
    const { layer, loose } = await pushLayers()
    await put('BLOB_MOUNTING', 'ENABLED')
    expect(await mount(layer, source)).toBe(true)
    await put('BLOB_MOUNTING', 'DISABLED')
    for (const digest of [layer, loose])
      for (const from of [source, undefined]) expect(await mount(digest, from)).toBe(false)
    expect(await services.layers.stat(admin, target, layer)).toMatchObject({ digest: layer })
  })

  test('ENABLED, as ECR has it: a layer that an image of the named source needs', async () => {
    await open(false)
    const { layer, loose } = await pushLayers()
    await put('BLOB_MOUNTING', 'ENABLED')
    expect(await mount(loose, source)).toBe(false)
    expect(await mount(layer)).toBe(false)
    expect(await mount(layer, refTo('nowhere'))).toBe(false)
    expect(await mount(layer, source)).toBe(true)
    // The target has it now, but no image that needs it.
    expect(await services.layers.mount(admin, source, layer, target)).toBe(false)
  })
})
