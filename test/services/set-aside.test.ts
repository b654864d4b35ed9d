import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { Attachments } from '../../src/services/images/attachments.ts'
import { VEX_ARTIFACT_TYPE } from '../../src/services/scanning/vex-documents.ts'
import { osvRecord, RecordDirectory } from '../support/advisory-data.ts'
import { debian, layerOf, pushBytes } from '../support/scannable-images.ts'
import {
  admin,
  createServices,
  indexOf,
  manifestOf,
  pushLayer,
  refTo,
  registry,
  type Services,
} from '../support/service-fixture.ts'

const ref = refTo('team/app')
const HOUR_MS = 3_600_000
let services: Services
let attachments: Attachments

beforeEach(async () => {
  services = await createServices()
  attachments = new Attachments(services.uploads, services.images)
  await services.repositories.create(admin, ref, {})
  await services.scanConfigurations.put(admin, registry, {
    type: 'ENHANCED',
    rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }],
  })
  using directory = new RecordDirectory()
  const at = services.clock.now()
  directory.put(
    osvRecord('DEBIAN-CVE-2026-1', ['Debian:12', 'openssl', '3.0.10-1'], {
      upstream: ['CVE-2026-1'],
      modified: at.toISOString(),
    }),
  )
  await services.advisories.import({ from: directory.path, at })
})

afterEach(() => services.close())

/** An image for an architecture, with a package that has a flaw. */
async function pushFor(architecture: string): Promise<Digest> {
  const config = await pushLayer(services, ref, JSON.stringify({ os: 'linux', architecture }))
  const layer = await pushBytes(services, ref, layerOf(debian(['openssl', '3.0.9-1'])))
  return await push(manifestOf(config, [layer]))
}

async function push(manifest: Uint8Array): Promise<Digest> {
  return (await services.images.push(admin, ref, { manifest, tags: [] })).image.digest
}

let documents = 0

async function attach(subject: Digest, product: string, changes: object = {}): Promise<void> {
  const document = {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': `https://example.com/vex/${documents++}`,
    author: 'Team',
    timestamp: '2026-03-01T00:00:00Z',
    version: 1,
    statements: [
      {
        vulnerability: { name: 'CVE-2026-1' },
        products: [{ '@id': product }],
        status: 'not_affected',
        justification: 'vulnerable_code_not_present',
        ...changes,
      },
    ],
  }
  const { image } = await services.contents.open(ref, { digest: subject })
  const bytes = new TextEncoder().encode(JSON.stringify(document))
  await attachments.attach(admin, ref, image, { artifactType: VEX_ARTIFACT_TYPE, bytes, annotations: {} })
}

async function isSetAside(digest: Digest): Promise<boolean> {
  const { result } = await services.scanFindings.describe(admin, ref, { digest }, { limit: 10 })
  expect(result?.findings).toHaveLength(1)
  return result?.findings[0]?.finding.status.kind === 'suppressed'
}

describe('a VEX document on an index', () => {
  let amd64: Digest
  let arm64: Digest
  let index: Digest

  beforeEach(async () => {
    amd64 = await pushFor('amd64')
    arm64 = await pushFor('arm64')
    index = await push(indexOf([amd64, arm64]))
    await services.scanJobs.scanNow()
    expect([await isSetAside(amd64), await isSetAside(arm64)]).toEqual([false, false])
  })

  const bySubject: readonly (readonly [string, () => string, readonly [boolean, boolean]])[] = [
    ['the index by its digest', () => index, [true, true]],
    ['the index by its package URL', () => `pkg:oci/app@${index}`, [true, true]],
    ['any image of the name', () => 'pkg:oci/app', [true, true]],
    ['the images for an architecture', () => `pkg:oci/app@${encodeURIComponent(index)}?arch=arm64`, [false, true]],
    ['the images for a system', () => 'pkg:oci/app?os=linux', [true, true]],
    ['the images for another system', () => 'pkg:oci/app?os=windows', [false, false]],
    ['the images for another variant', () => 'pkg:oci/app?arch=arm64&variant=v9', [false, false]],
    ['one of the images', () => amd64, [true, false]],
    ['a package of an architecture', () => 'pkg:deb/debian/openssl?arch=amd64', [true, true]],
    ['a package of another architecture', () => 'pkg:deb/debian/openssl?arch=arm64', [false, false]],
    [
      'the repository in this registry',
      () => 'pkg:oci/app?repository_url=registry.example.com%2Fteam%2Fapp',
      [true, true],
    ],
    ['one of that name elsewhere', () => 'pkg:oci/app?repository_url=ghcr.io/team/app', [false, false]],
  ]
  for (const [what, product, expected] of bySubject)
    test(`that is about ${what}`, async () => {
      await attach(index, product())
      expect([await isSetAside(amd64), await isSetAside(arm64)]).toEqual([...expected])
    })

  test('that is attached to an index of indexes', async () => {
    const outer = await push(indexOf([index]))
    await attach(outer, outer)
    expect(await isSetAside(amd64)).toBe(true)
  })

  test('is taken back by a later one on the image, and only for that', async () => {
    await attach(index, index)
    await attach(arm64, arm64, { status: 'affected', timestamp: '2026-03-01T01:00:00Z' })
    expect([await isSetAside(amd64), await isSetAside(arm64)]).toEqual([true, false])
  })

  test('says nothing of an image that the index does not list', async () => {
    const other = await pushFor('riscv64')
    await services.scanJobs.scanNow()
    await attach(index, 'pkg:oci/app')
    expect(await isSetAside(other)).toBe(false)
  })

  test('more of them than are read set nothing aside', async () => {
    await attach(index, index)
    for (let n = 0; n < 100; n++) await attach(amd64, `pkg:oci/other${n}`)
    expect([await isSetAside(amd64), await isSetAside(arm64)]).toEqual([false, true])
    expect(services.unusableVex.join()).toContain('More than 100 documents')
  })
})

test('a rule that sets a finding aside ends at its moment, wherever the finding is shown', async () => {
  const digest = await pushFor('amd64')
  await services.scanJobs.scanNow()
  const expiresAt = new Date(services.clock.now().getTime() + HOUR_MS)
  await services.metadata.transact((tx) =>
    tx.suppressions.put(registry, {
      id: 'a',
      vulnerability: 'CVE-2026-1',
      reason: 'not reachable',
      createdBy: 'me',
      createdAt: services.clock.now(),
      expiresAt,
    }),
  )
  const inspected = async () => {
    const seen: string[] = []
    const caller = { principal: admin, action: 'ListFindings', registry }
    for await (const { finding } of await services.inspector.findings(caller)) seen.push(finding.status)
    return seen
  }
  const counts = async () => {
    const { result } = await services.scanFindings.describe(admin, ref, { digest }, { limit: 10 })
    return result?.counts
  }
  services.clock.advance(HOUR_MS - 1)
  expect(await isSetAside(digest)).toBe(true)
  expect(await counts()).toEqual({})
  expect(await inspected()).toEqual(['SUPPRESSED'])
  services.clock.advance(1)
  expect(await isSetAside(digest)).toBe(false)
  expect(await counts()).toEqual({ UNTRIAGED: 1 })
  expect(await inspected()).toEqual(['ACTIVE'])
})
