import { afterEach, beforeEach, expect, test } from 'bun:test'
import { BUNDLE_ARTIFACT_TYPE } from '../../src/domain/advisories/bundle.ts'
import { parseTag } from '../../src/domain/names.ts'
import { Advisories } from '../../src/services/advisories/advisories.ts'
import { AdvisoryBundles } from '../../src/services/advisories/advisory-bundles.ts'
import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { osvRecord } from '../support/advisory-data.ts'
import { admin, createServices, pushLayer, refTo, type Services, stranger } from '../support/service-fixture.ts'

let services: Services
let store: SqliteAdvisoryStore
let bundles: AdvisoryBundles
const ref = refTo('ecru/advisories')
const record = osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'zlib', '1.2.14'])
const text = JSON.stringify(record)

beforeEach(async () => {
  services = await createServices()
  store = SqliteAdvisoryStore.inMemory()
  const settings = { source: undefined, ecosystems: undefined, ageMsMax: 1, caFile: undefined }
  bundles = new AdvisoryBundles(services.images, services.layers, new Advisories(store, services.clock, settings))
  await services.repositories.create(admin, ref)
})

afterEach(async () => {
  await store.close()
  await services.close()
})

async function push(titles: readonly string[], artifactType = BUNDLE_ARTIFACT_TYPE): Promise<void> {
  const config = await pushLayer(services, ref, '{}')
  const layer = await pushLayer(services, ref, text)
  const document = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: config, size: 2 },
    layers: titles.map((title) => ({
      mediaType: 'application/json',
      digest: layer,
      size: text.length,
      annotations: { 'org.opencontainers.image.title': title },
    })),
  }
  const manifest = new TextEncoder().encode(JSON.stringify(document))
  await services.images.push(admin, ref, { manifest, tags: [parseTag('latest')] })
}

const importNow = (principal = admin) => bundles.importBundle(principal, ref, { tag: parseTag('latest') })

test('an artifact is imported as if its layers lay in a directory', async () => {
  await push(['DEBIAN-CVE-2026-2.json'])
  expect(await importNow()).toMatchObject({ addedCount: 1, rejectedCount: 0 })
  expect(await store.use((set) => set?.entriesOf('Debian:12', 'zlib').length)).toBe(1)
})

test.each([
  [['../all.zip']],
  [['/etc/all.zip']],
  [['a/b/all.zip']],
  [['..']],
  [['all.tar']],
  [['Debian/all.zip', 'Debian/all.zip']],
])('layers that are called %p are refused', async (titles) => {
  await push(titles)
  await expect(importNow()).rejects.toMatchObject({ code: 'invalid-parameter' })
  expect(await store.use((set) => set)).toBeUndefined()
})

test('an image of another kind is refused, and so is whoever may not read it', async () => {
  await push(['Debian/all.zip'], 'application/vnd.example')
  await expect(importNow()).rejects.toMatchObject({ code: 'invalid-parameter' })
  await expect(importNow(stranger)).rejects.toMatchObject({ code: 'access-denied' })
})
