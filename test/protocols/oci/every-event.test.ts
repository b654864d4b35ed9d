import { afterEach, beforeEach, expect, test } from 'bun:test'
import { parseRegion, type Registry, type RepositoryRef, type Tag } from '../../../src/domain/names.ts'
import { type EventEnvelope, envelopeOf } from '../../../src/services/events/event-envelope.ts'
import { PullEvents } from '../../../src/services/images/pull-events.ts'
import { osvRecord, RecordDirectory } from '../../support/advisory-data.ts'
import { buildImage } from '../../support/image-builder.ts'
import { debian, pushFiles } from '../../support/scannable-images.ts'
import {
  ACTIVATION_MS,
  admin,
  manifestOf,
  OCI_MANIFEST,
  pushImage,
  pushLayer,
  refTo,
  registry,
  type Services,
} from '../../support/service-fixture.ts'
import { UpstreamRegistry } from '../../support/upstream-registry.ts'
import { createPlane, type Plane } from './plane.ts'

// Every event that a registry tells of, caused by what people do, and shown whole.

const ref = refTo('shop/cart')
const ARN = `arn:aws:ecr:${registry.region}:${registry.registryId}:repository/shop/cart`
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const SPDX = 'application/spdx+json'
const FAR: Registry = { registryId: registry.registryId, region: parseRegion('us-east-1') }
const v1 = 'v1' as Tag

let plane: Plane
let services: Services
let upstream: UpstreamRegistry
let directory: RecordDirectory

beforeEach(async () => {
  plane = await createPlane()
  services = plane.services
  upstream = await UpstreamRegistry.start()
  directory = new RecordDirectory()
  await services.repositories.create(admin, ref, { isScannedOnPush: true })
})
afterEach(async () => {
  await plane.close()
  await upstream.stop()
  directory[Symbol.dispose]()
})

const referrerOf = async (subject: string) => {
  const config = await pushLayer(services, ref, 'of the referrer')
  const extra = { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 }, artifactType: SPDX }
  const pushed = { manifest: manifestOf(config, [], extra), tags: [] }
  return (await services.images.push(admin, ref, pushed)).image.digest
}
const importRecords = async () => {
  const at = services.clock.now()
  const flaw = osvRecord('DEBIAN-CVE-2026-1', ['Debian:12', 'openssl', '3.0.10-1'], {
    upstream: ['CVE-2026-1'],
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
  })
  directory.put({ ...flaw, modified: at.toISOString() })
  await services.advisories.import({ from: directory.path, at })
}
const vulnerable = debian(['openssl', '3.0.9-1'])
const continuous = () =>
  services.scanConfigurations.put(admin, registry, {
    type: 'ENHANCED',
    rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }],
  })
const pullFromUpstream = async (repository: string) => {
  const prefix = { prefix: 'hub', upstreamUrl: upstream.url.origin, upstreamPrefix: undefined }
  await services.pullThroughRules.create(admin, registry, prefix)
  const { password } = await services.tokens.issue(admin, registry.region)
  const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
  await plane.ask('GET', `/v2/hub/${repository}/manifests/7`, { headers: { authorization } })
  await services.pullThrough.idle()
}

/** What is done, and answers what of the event nobody knows beforehand; the last event of its kind is meant. */
interface Case {
  readonly source?: string
  readonly kind: string
  readonly resources?: readonly string[]
  readonly place?: Registry
  readonly detail: Readonly<Record<string, unknown>>
  readonly cause: () => Promise<Readonly<Record<string, unknown>>>
}

const image = { result: 'SUCCESS', 'repository-name': 'shop/cart', 'manifest-media-type': OCI_MANIFEST }
const plain = { ...image, 'artifact-media-type': CONFIG }
const referrer = { ...image, 'artifact-media-type': SPDX }
const named = (digest: string) => ({ 'image-digest': digest })

const CASES: Readonly<Record<string, Case>> = {
  'a push by tag': {
    kind: 'ECR Image Action',
    detail: { ...plain, 'action-type': 'PUSH', 'image-tag': 'v1' },
    cause: async () => named(await pushImage(services, ref, 'a', 'v1')),
  },
  'a push without a tag': {
    kind: 'ECR Image Action',
    detail: { ...plain, 'action-type': 'PUSH' },
    cause: async () => named(await pushImage(services, ref, 'a')),
  },
  'a push of a referrer': {
    kind: 'ECR Referrer Action',
    detail: { ...referrer, 'action-type': 'PUSH' },
    cause: async () => named(await referrerOf(await pushImage(services, ref, 'a'))),
  },
  'a deletion': {
    kind: 'ECR Image Action',
    detail: { ...plain, 'action-type': 'DELETE', 'image-tag': 'v1' },
    cause: async () => {
      const digest = await pushImage(services, ref, 'a', 'v1')
      await services.imageDeletion.deleteMany(admin, ref, [{ digest }])
      return named(digest)
    },
  },
  'a deletion that takes a referrer along': {
    kind: 'ECR Referrer Action',
    detail: { ...referrer, 'action-type': 'DELETE' },
    cause: async () => {
      const digest = await referrerOf(await pushImage(services, ref, 'a'))
      await services.imageDeletion.deleteMany(admin, ref, [{ digest }])
      return named(digest)
    },
  },
  'an archived image': {
    kind: 'ECR Image Action',
    detail: { ...plain, 'action-type': 'UPDATE_STORAGE_CLASS', 'target-storage-class': 'ARCHIVE' },
    cause: async () => {
      const digest = await pushImage(services, ref, 'a', 'v1')
      await services.storageClasses.update(admin, ref, { digest }, 'ARCHIVE')
      return named(digest)
    },
  },
  'a restored referrer': {
    kind: 'ECR Referrer Action',
    detail: { ...referrer, 'action-type': 'UPDATE_STORAGE_CLASS', 'target-storage-class': 'STANDARD' },
    cause: async () => {
      const subject = await pushImage(services, ref, 'a', 'v1')
      const digest = await referrerOf(subject)
      await services.storageClasses.update(admin, ref, { digest: subject }, 'ARCHIVE')
      await services.storageClasses.update(admin, ref, { digest: subject }, 'STANDARD')
      services.clock.advance(ACTIVATION_MS)
      const endedAt = services.clock.now().toISOString()
      await services.imageLists.describe(admin, ref, {}, { limit: 1 })
      return { ...named(digest), 'last-activated-at': endedAt }
    },
  },
  'a pull (extension)': {
    kind: 'ECR Image Action',
    detail: { ...plain, 'action-type': 'PULL', 'image-tag': 'v1', 'pull-count': 2 },
    cause: async () => {
      const digest = await pushImage(services, ref, 'a', 'v1')
      const { image } = await services.images.pull(admin, ref, { tag: v1 })
      const pulls = new PullEvents(services.metadata, services.clock, () => undefined)
      for (let n = 0; n < 2; n++) pulls.record(ref, image, v1)
      await pulls.flush()
      return named(digest)
    },
  },
  'a repository made (extension)': {
    kind: 'ECR Repository Action',
    resources: [ARN],
    detail: { result: 'SUCCESS', 'repository-name': 'shop/cart', 'action-type': 'CREATE' },
    cause: async () => ({}),
  },
  'a repository deleted (extension)': {
    kind: 'ECR Repository Action',
    resources: [ARN],
    detail: { result: 'SUCCESS', 'repository-name': 'shop/cart', 'action-type': 'DELETE' },
    cause: async () => {
      await services.repositories.delete(admin, ref, true)
      return {}
    },
  },
  'a basic scan': {
    kind: 'ECR Image Scan',
    resources: [ARN],
    detail: {
      'scan-status': 'COMPLETE',
      'repository-name': 'shop/cart',
      'finding-severity-counts': { CRITICAL: 1 },
      'image-tags': ['v1'],
    },
    cause: async () => {
      await importRecords()
      const digest = await pushFiles(services, ref, [vulnerable], 'v1')
      await services.scanJobs.scanNow()
      return named(digest)
    },
  },
  'a basic scan that fails': {
    kind: 'ECR Image Scan',
    resources: [ARN],
    detail: {
      'scan-status': 'FAILED',
      'repository-name': 'shop/cart',
      'finding-severity-counts': {},
      'image-tags': ['v1'],
    },
    cause: async () => {
      const digest = await pushFiles(services, ref, [vulnerable], 'v1')
      await services.scanJobs.scanNow()
      return named(digest)
    },
  },
  'enhanced scanning switched on': {
    kind: 'ECR Scan Resource Change',
    detail: {
      'action-type': 'SCAN_FREQUENCY_CHANGE',
      repositories: [
        {
          'repository-name': 'shop/cart',
          'repository-arn': ARN,
          'scan-frequency': 'CONTINUOUS_SCAN',
          'previous-scan-frequency': 'SCAN_ON_PUSH',
        },
      ],
      'resource-type': 'REPOSITORY',
      'scan-type': 'ENHANCED',
    },
    cause: async () => {
      await continuous()
      return {}
    },
  },
  'the first enhanced scan of an image': {
    source: 'aws.inspector2',
    kind: 'Inspector2 Scan',
    resources: [ARN],
    detail: {
      'scan-status': 'INITIAL_SCAN_COMPLETE',
      'repository-name': ARN,
      'finding-severity-counts': { CRITICAL: 1, TOTAL: 1 },
      'image-tags': ['v1'],
    },
    cause: async () => {
      await importRecords()
      await continuous()
      const digest = await pushFiles(services, ref, [vulnerable], 'v1')
      await services.scanJobs.scanNow()
      return named(digest)
    },
  },
  'an image that arrives at another region': {
    kind: 'ECR Replication Action',
    place: FAR,
    resources: [ARN.replace(registry.region, FAR.region)],
    detail: {
      result: 'SUCCESS',
      'repository-name': 'shop/cart',
      'source-account': registry.registryId,
      'action-type': 'REPLICATE',
      'source-region': registry.region,
      'image-tag': 'v1',
    },
    cause: async () => {
      await services.replication.putConfiguration(admin, registry, { rules: [{ destinations: [FAR] }] })
      const digest = await pushImage(services, ref, 'a', 'v1')
      await services.replicationJobs.replicateNow()
      return named(digest)
    },
  },
  'an image that cannot arrive with its tag': {
    kind: 'ECR Replication Action',
    place: FAR,
    resources: [ARN.replace(registry.region, FAR.region)],
    detail: {
      result: 'FAILED',
      'repository-name': 'shop/cart',
      'source-account': registry.registryId,
      'action-type': 'REPLICATE',
      'source-region': registry.region,
      'image-tag': 'v1',
    },
    cause: async () => {
      const far: RepositoryRef = { registry: FAR, name: ref.name }
      await services.repositories.create(admin, far, { mutability: { mode: 'IMMUTABLE', exclusionFilters: [] } })
      await pushImage(services, far, 'there already', 'v1')
      await services.replication.putConfiguration(admin, registry, { rules: [{ destinations: [FAR] }] })
      const digest = await pushImage(services, ref, 'a', 'v1')
      await services.replicationJobs.replicateNow()
      return named(digest)
    },
  },
  'an image that comes through a cache': {
    kind: 'ECR Pull Through Cache Action',
    resources: [ARN.replace('shop/cart', 'hub/library/redis')],
    detail: {
      'rule-version': '1',
      'sync-status': 'SUCCESS',
      'ecr-repository-prefix': 'hub',
      'repository-name': 'hub/library/redis',
      'image-tag': '7',
    },
    cause: async () => {
      const digest = upstream.addImage(buildImage('redis'), 'library/redis', '7')
      await pullFromUpstream('library/redis')
      return { ...named(digest), 'upstream-registry-url': upstream.url.origin }
    },
  },
  'an image that cannot come through a cache': {
    kind: 'ECR Pull Through Cache Action',
    resources: [ARN.replace('shop/cart', 'hub/library/redis')],
    detail: {
      'rule-version': '1',
      'sync-status': 'FAILED',
      'ecr-repository-prefix': 'hub',
      'repository-name': 'hub/library/redis',
      'image-tag': '7',
      'failure-code': expect.any(String),
      'failure-reason': expect.any(String),
    },
    cause: async () => {
      upstream.fault = (_request, response) => {
        response.writeHead(503)
        response.end()
        return true
      }
      await pullFromUpstream('library/redis')
      return { 'upstream-registry-url': upstream.url.origin }
    },
  },
}

test.each(Object.entries(CASES))(
  '%s',
  async (_what, { source = 'aws.ecr', kind, resources = [], place = registry, detail, cause }) => {
    const more = await cause()
    const events: EventEnvelope[] = (await services.metadata.view.outbox.list(0, 1000)).map(envelopeOf)
    const found = events.filter((event) => event['detail-type'] === kind).at(-1)
    expect(found).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      'detail-type': kind,
      source,
      account: place.registryId,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      region: place.region,
      resources,
      detail: { ...detail, ...more },
    } as never)
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  },
)
