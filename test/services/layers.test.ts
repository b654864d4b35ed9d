import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { parseRegistryId, parseRepositoryName } from '../../src/domain/names.ts'
import { DOWNLOAD_URL_LIFETIME_MS } from '../../src/services/images/download-urls.ts'
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

const ref = refTo('team/app')
const other = refTo('team/other')
const unknown = `sha256:${'0'.repeat(64)}` as Digest
let services: Services

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
  await services.repositories.create(admin, other)
})
afterEach(() => services.close())

const withCode = (code: string) => expect.objectContaining({ code })

describe('a layer', () => {
  test('is read through the repository that holds it, and no other', async () => {
    const digest = await pushLayer(services, ref, 'layer')
    expect((await services.layers.stat(admin, ref, digest)).sizeBytes).toBe(5)
    await expect(services.layers.stat(admin, other, digest)).rejects.toEqual(withCode('blob-not-found'))
    await expect(services.layers.open(stranger, ref, digest)).rejects.toEqual(withCode('access-denied'))
  })

  test('is available, unavailable or no layer at all', async () => {
    const digest = await pushLayer(services, ref, 'layer')
    const answers = await services.layers.availability(admin, ref, [digest, unknown, 'x', ''])
    expect(answers.map(({ state }) => state)).toEqual(['AVAILABLE', 'UNAVAILABLE', undefined, undefined])
  })

  test('is mounted from a repository that the caller may read', async () => {
    const digest = await pushLayer(services, ref, 'layer')
    expect(await services.layers.mount(admin, other, digest, ref)).toBe(true)
    expect((await services.layers.stat(admin, other, digest)).sizeBytes).toBe(5)
    expect(await services.layers.mount(admin, other, unknown, ref)).toBe(false)
  })

  test('is mounted from anywhere in the registry when no source is named', async () => {
    const digest = await pushLayer(services, ref, 'layer')
    expect(await services.layers.mount(admin, other, digest, undefined)).toBe(true)
  })

  test('of another account is not mounted, and its presence not betrayed', async () => {
    const digest = await pushLayer(services, ref, 'layer')
    const theirs = {
      registry: { ...registry, registryId: parseRegistryId(stranger.accountId) },
      name: parseRepositoryName('mine'),
    }
    await services.repositories.create(stranger, theirs)
    expect(await services.layers.mount(stranger, theirs, digest, ref)).toBe(false)
  })

  test('is not mounted where ECR would want an account setting', async () => {
    const strict = await createServices({ isMountOpen: false })
    await strict.repositories.create(admin, ref)
    await strict.repositories.create(admin, other)
    const digest = await pushLayer(strict, ref, 'layer')
    expect(await strict.layers.mount(admin, other, digest, ref)).toBe(false)
    await strict.close()
  })

  test('can be deleted only while no image needs it', async () => {
    const layer = await pushLayer(services, ref, 'layer')
    const config = await pushLayer(services, ref, 'config')
    await services.images.push(admin, ref, { manifest: manifestOf(config, [layer]), tags: [] })
    await expect(services.layers.delete(admin, ref, layer)).rejects.toEqual(withCode('unsupported'))
    const loose = await pushLayer(services, ref, 'loose')
    await services.layers.delete(admin, ref, loose)
    await expect(services.layers.delete(admin, ref, loose)).rejects.toEqual(withCode('blob-not-found'))
  })
})

describe('a download ticket', () => {
  test('is given for layers of images only', async () => {
    const layer = await pushLayer(services, ref, 'layer')
    await expect(services.layers.ticketFor(admin, ref, layer)).rejects.toEqual(withCode('layer-inaccessible'))
    await expect(services.layers.ticketFor(admin, ref, unknown)).rejects.toEqual(withCode('layer-not-found'))
  })

  test('opens its own layer, for an hour', async () => {
    const layer = await pushLayer(services, ref, 'layer')
    const config = await pushLayer(services, ref, 'config')
    await services.images.push(admin, ref, { manifest: manifestOf(config, [layer]), tags: [] })
    const ticket = await services.layers.ticketFor(admin, ref, layer)
    const { read } = await services.layers.openByTicket(ticket, layer)
    expect(await new Response(await read({ first: 1, last: 3 })).text()).toBe('aye')
    await expect(services.layers.openByTicket(ticket, config)).rejects.toEqual(withCode('blob-not-found'))
    await expect(services.layers.openByTicket(`${ticket.slice(0, -2)}xx`, layer)).rejects.toEqual(
      withCode('token-invalid'),
    )
    services.clock.advance(DOWNLOAD_URL_LIFETIME_MS + 1000)
    await expect(services.layers.openByTicket(ticket, layer)).rejects.toEqual(withCode('token-expired'))
  })
})
