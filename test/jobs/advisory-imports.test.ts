import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { BUNDLE_ARTIFACT_TYPE } from '../../src/domain/advisories/bundle.ts'
import { parseTag } from '../../src/domain/names.ts'
import type { Principal } from '../../src/domain/principal.ts'
import { AdvisoryImportJobs, AdvisoryImports } from '../../src/jobs/advisory-imports.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { Advisories } from '../../src/services/advisories/advisories.ts'
import { AdvisoryBundles } from '../../src/services/advisories/advisory-bundles.ts'
import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { osvRecord } from '../support/advisory-data.ts'
import { admin, createServices, pushLayer, refTo, type Services, stranger } from '../support/service-fixture.ts'

const ref = refTo('ecru/advisories')
const HOUR_MS = 3_600_000
let services: Services
let store: SqliteAdvisoryStore
let importedCount: number
let jobs: AdvisoryImportJobs

beforeEach(async () => {
  store = SqliteAdvisoryStore.inMemory()
  services = await createServices({ advisories: store, advisoryRepository: ref })
  importedCount = 0
  jobs = jobsWith(store)
  for (const name of ['ecru/advisories', 'other']) await services.repositories.create(admin, refTo(name))
})
afterEach(async () => {
  await jobs.close()
  await services.close()
  await store.close()
})

function jobsWith(advisories: SqliteAdvisoryStore): AdvisoryImportJobs {
  const { metadata, clock, images, layers } = services
  const settings = { source: undefined, ecosystems: undefined, ageMsMax: 1, caFile: undefined }
  const bundles = new AdvisoryBundles(images, layers, new Advisories(advisories, clock, settings))
  const job = new AdvisoryImports(metadata, bundles, silentLogger, {
    clock,
    leaseClock: clock,
    holder: 'test',
    onImported: () => void importedCount++,
  })
  return new AdvisoryImportJobs(job, silentLogger)
}

interface Bundle {
  readonly repository?: string
  readonly artifactType?: string
  readonly title?: string
  readonly name?: string
  readonly principal?: Principal
}

async function push({
  repository = ref.name,
  artifactType = BUNDLE_ARTIFACT_TYPE,
  title = 'record.json',
  name = 'zlib',
  principal = admin,
}: Bundle = {}) {
  const text = JSON.stringify(osvRecord(`DEBIAN-${name}`, ['Debian:12', name, '1.2.14']))
  const to = refTo(repository)
  const document = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    artifactType,
    config: { mediaType: 'application/vnd.oci.empty.v1+json', digest: await pushLayer(services, to, '{}'), size: 2 },
    layers: [
      {
        mediaType: 'application/json',
        digest: await pushLayer(services, to, text),
        size: text.length,
        annotations: { 'org.opencontainers.image.title': title },
      },
    ],
  }
  const manifest = new TextEncoder().encode(JSON.stringify(document))
  return services.images.push(principal, to, { manifest, tags: [parseTag('latest')] })
}

const states = async () =>
  (await services.metadata.view.advisoryPushes.listNewest(10)).map(({ state, reason }) => [state, reason])
const known = (name: string) => store.use((set) => set?.entriesOf('Debian:12', name).length ?? 0)

describe('advisories that are pushed', () => {
  test('are imported by the push, in the order of pushes', async () => {
    await push()
    await push({ name: 'openssl' })
    expect(await states()).toEqual([
      ['QUEUED', undefined],
      ['QUEUED', undefined],
    ])
    expect(await jobs.importNow()).toEqual({ imported: 2, failed: 0, postponed: 0 })
    expect([await known('zlib'), await known('openssl')]).toEqual([1, 1])
    expect(await states()).toEqual([
      ['IMPORTED', undefined],
      ['IMPORTED', undefined],
    ])
    expect(importedCount).toBe(2)
  })

  test('are imported once for a push', async () => {
    await push()
    await push()
    expect((await states()).length).toBe(1)
    await jobs.importNow()
    expect(await jobs.importNow()).toEqual({ imported: 0, failed: 0, postponed: 0 })
  })

  test('elsewhere, or of another type, are only kept', async () => {
    await push({ repository: 'other' })
    await push({ artifactType: 'application/vnd.example' })
    expect(await states()).toEqual([])
  })

  test('by somebody who may push but not import are refused, and that is said', async () => {
    const policy = {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: stranger.accountId }, Action: ['ecr:*'] }],
    }
    await services.policies.setOfRepository(admin, ref, JSON.stringify(policy), false)
    await push({ principal: stranger })
    expect(await states()).toEqual([
      ['REFUSED', 'arn:aws:iam::999999999999:root may push here, but lacks ecru:ImportAdvisories.'],
    ])
    expect(await jobs.importNow()).toEqual({ imported: 0, failed: 0, postponed: 0 })
    expect(await known('zlib')).toBe(0)
  })

  test('that are none have failed, with the reason, and nothing has changed', async () => {
    await push({ title: '../all.zip' })
    expect(await jobs.importNow()).toEqual({ imported: 0, failed: 1, postponed: 0 })
    const [[state, reason] = []] = await states()
    expect(state).toBe('FAILED')
    expect(reason).toContain('Each layer of a bundle has a title')
    expect(await store.use((set) => set?.status.revision)).toBeUndefined()
  })

  test('are tried again when the registry could not, and given up in the end', async () => {
    await push()
    const broken = jobsWith({
      import: () => Promise.reject(new Error('The disk is on fire.')),
    } as unknown as SqliteAdvisoryStore)
    expect(await broken.importNow()).toEqual({ imported: 0, failed: 0, postponed: 1 })
    services.clock.advance(HOUR_MS)
    expect(await broken.importNow()).toEqual({ imported: 0, failed: 0, postponed: 1 })
    services.clock.advance(HOUR_MS)
    expect(await broken.importNow()).toEqual({ imported: 0, failed: 1, postponed: 0 })
    expect(await states()).toEqual([['FAILED', 'The registry failed to import it. Its log has the details.']])
    await broken.close()
  })

  test('whose import a restart broke off are imported afterwards', async () => {
    await push()
    const [one] = await services.metadata.view.advisoryPushes.listNewest(1)
    await services.metadata.transact((tx) => tx.advisoryPushes.begin(one?.id ?? 0))
    expect(await jobs.importNow()).toMatchObject({ imported: 1 })
  })
})
