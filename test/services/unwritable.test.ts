import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { storageFull } from '../../src/domain/errors.ts'
import { randomIds } from '../../src/lib/ids.ts'
import { Activations } from '../../src/services/images/activations.ts'
import { DownloadTickets } from '../../src/services/images/download-urls.ts'
import { ImageLists } from '../../src/services/images/image-lists.ts'
import { PullTimes } from '../../src/services/images/pulls.ts'
import type { MetadataStore, MetadataWriter, TransactOptions } from '../../src/stores/metadata.ts'
import { ACTIVATION_MS, admin, createServices, pushImage, refTo, type Services } from '../support/service-fixture.ts'

const ref = refTo('app')
let services: Services
let digest: Digest

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
  digest = await pushImage(services, ref, 'a', 'v1')
})
afterEach(() => services.close())

/** The store of the services, with something before each of its transactions. */
function storeWith(before: () => Promise<void>): MetadataStore {
  const { metadata } = services
  return {
    view: metadata.view,
    get policyRevision() {
      return metadata.policyRevision
    },
    read: (work) => metadata.read(work),
    transact: async <T>(work: (tx: MetadataWriter) => Promise<T>, options?: TransactOptions) => {
      await before()
      return metadata.transact(work, options)
    },
    watchOutbox: (listener) => metadata.watchOutbox(listener),
    copyTo: (file) => metadata.copyTo(file),
    checkReady: () => metadata.checkReady(),
    close: async () => undefined,
  }
}

const imageIn = async (lists: ImageLists) => (await lists.describeMany(admin, ref, [{ digest }]))[0]

describe('on a full disk', () => {
  const full = () => Promise.reject(storageFull())

  test('images are described, though their pull times are lost', async () => {
    const lost: unknown[] = []
    const store = storeWith(full)
    const pulls = new PullTimes(store, services.clock, (error) => lost.push(error))
    const image = await services.images.stat(admin, ref, { digest })
    pulls.record(image, admin, ref)
    const lists = new ImageLists(store, services.vaults, services.access, pulls, new Activations(store, services.clock))
    expect(await imageIn(lists)).toMatchObject({ digest })
    expect(lost).toEqual([expect.objectContaining({ code: 'storage-full' })])
  })

  test('images are described, though their restoration cannot be written down', async () => {
    await services.storageClasses.update(admin, ref, { digest }, 'ARCHIVE')
    await services.storageClasses.update(admin, ref, { digest }, 'STANDARD')
    services.clock.advance(ACTIVATION_MS)
    const store = storeWith(full)
    const activations = new Activations(store, services.clock)
    const lists = new ImageLists(store, services.vaults, services.access, services.pulls, activations)
    expect(await imageIn(lists)).toMatchObject({ digest, status: 'ACTIVATING' })
    expect(await imageIn(services.imageLists)).toMatchObject({ digest, status: 'ACTIVE' })
  })
})

test('any other failure to end a restoration is not passed by', async () => {
  await services.storageClasses.update(admin, ref, { digest }, 'ARCHIVE')
  await services.storageClasses.update(admin, ref, { digest }, 'STANDARD')
  services.clock.advance(ACTIVATION_MS)
  const activations = new Activations(
    storeWith(() => Promise.reject(new Error('broken'))),
    services.clock,
  )
  await expect(activations.settle()).rejects.toThrow('broken')
})

test('who asks for pull times sees those that are being written', async () => {
  const { promise, resolve: write } = Promise.withResolvers<void>()
  const pulls = new PullTimes(
    storeWith(() => promise),
    services.clock,
    () => undefined,
  )
  const image = await services.images.stat(admin, ref, { digest })
  pulls.record(image, admin, ref)
  const first = pulls.flush()
  let isAnswered = false
  const second = pulls.flush().then(() => {
    isAnswered = true
  })
  await new Promise((resolve) => setImmediate(resolve))
  expect(isAnswered).toBe(false)
  write()
  await Promise.all([first, second])
  expect(await imageIn(services.imageLists)).toMatchObject({ pulledAt: services.clock.now() })
})

test('a secret that could not be kept once is asked for again', async () => {
  let isFull = true
  const store = storeWith(() => (isFull ? Promise.reject(storageFull()) : Promise.resolve()))
  const tickets = new DownloadTickets(store, services.clock, randomIds)
  await expect(tickets.issue({ principal: admin, ref, digest })).rejects.toEqual(
    expect.objectContaining({ code: 'storage-full' }),
  )
  isFull = false
  expect(await tickets.verify(await tickets.issue({ principal: admin, ref, digest }))).toEqual({
    principal: admin,
    ref,
    digest,
  })
})

test('a ticket is not called invalid because its key could not be read', async () => {
  const ticket = await new DownloadTickets(services.metadata, services.clock, randomIds).issue({
    principal: admin,
    ref,
    digest,
  })
  const { view } = services.metadata
  const findSecret = () => Promise.reject(new Error('disk gone'))
  const broken = { ...view, credentials: { ...view.credentials, findSecret } }
  const store = { ...storeWith(async () => undefined), view: broken as unknown as MetadataStore['view'] }
  await expect(new DownloadTickets(store, services.clock, randomIds).verify(ticket)).rejects.toThrow('disk gone')
})
