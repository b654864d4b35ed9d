import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { parseTag } from '../../src/domain/names.ts'
import type { ScanConfiguration } from '../../src/domain/scanning/configuration.ts'
import { Attachments } from '../../src/services/images/attachments.ts'
import { Sboms } from '../../src/services/scanning/sboms.ts'
import { ScanCommands, type ScanParameters } from '../../src/services/scanning/scan-commands.ts'
import { VEX_ARTIFACT_TYPE } from '../../src/services/scanning/vex-documents.ts'
import { type OsvRecord, osvRecord, RecordDirectory } from '../support/advisory-data.ts'
import { debian, layerOf, pushBytes, pushFiles } from '../support/scannable-images.ts'
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

const ref = refTo('app')
const HOUR_MS = 3_600_000
const CRITICAL = { type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' } as const
const openssl = osvRecord('DEBIAN-CVE-2026-1', ['Debian:12', 'openssl', '3.0.10-1'], {
  upstream: ['CVE-2026-1'],
  severity: [CRITICAL],
})
const VULNERABLE = debian(['openssl', '3.0.9-1'])
const FIXED = debian(['openssl', '3.0.10-1'])

let services: Services
let directory: RecordDirectory
let run: (command: Parameters<ScanCommands['run']>[0], parameters?: ScanParameters) => Promise<object>
let attachments: Attachments

beforeEach(async () => {
  directory = new RecordDirectory()
  services = await createServices()
  const { metadata, contents, clock, uploads, images, scanCommandServices } = services
  attachments = new Attachments(uploads, images)
  const settings = { version: '1', nameOf: ({ name }: { name: string }) => name }
  const sboms = new Sboms(metadata, contents, attachments, clock, settings)
  const commands = new ScanCommands({ ...scanCommandServices, sboms }, registry)
  run = (command, parameters = {}) => commands.run(command, parameters)
  await services.repositories.create(admin, ref, { isScannedOnPush: true })
  await importNow(openssl)
})

afterEach(async () => {
  await services.close()
  directory[Symbol.dispose]()
})

async function importNow(...records: readonly OsvRecord[]): Promise<void> {
  const at = services.clock.now()
  for (const record of records) directory.put({ ...record, modified: at.toISOString() })
  await services.advisories.import({ from: directory.path, at })
}

const push = async (files: typeof VULNERABLE, ...tags: readonly string[]) => {
  const digest = await pushFiles(services, ref, [files], ...tags)
  await services.scanJobs.scanNow()
  return digest
}

const pull = (digest: Digest, principal = admin) => services.images.pull(principal, ref, { digest })

/** The reason of a refusal, `undefined` when there is none. */
async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work
    return undefined
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: 'access-denied' })
    return thrown instanceof Error ? thrown.message : undefined
  }
}

async function layersOf(digest: Digest): Promise<readonly Digest[]> {
  return (await services.contents.open(ref, { digest })).manifest.layers.map((layer) => layer.digest)
}

const ENHANCED: ScanConfiguration = { type: 'ENHANCED', rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] }

describe('a rule refuses', () => {
  test('an image with findings that are bad enough, by every way to it, with the reason', async () => {
    const digest = await push(VULNERABLE, 'v1')
    const [layer] = await layersOf(digest)
    if (layer === undefined) throw new Error('no layer')
    expect(await refusal(pull(digest))).toBeUndefined()
    const ticket = await services.layers.ticketFor(admin, ref, layer)
    await run('admission/set', { repositories: 'app', severity: 'high' })
    const reason =
      "Refused by the admission rule for 'app': the image has 1 finding of HIGH or worse: CVE-2026-1 in openssl (CRITICAL)"
    expect(await refusal(pull(digest))).toStartWith(reason)
    expect(await refusal(services.layers.open(admin, ref, layer))).toStartWith(reason)
    expect(await refusal(services.layers.ticketFor(admin, ref, layer))).toStartWith(reason)
    expect(await refusal(services.layers.openByTicket(ticket, layer))).toStartWith(reason)
    const { images, failures } = await services.imageBatches.get(admin, ref, [{ tag: 'v1' }])
    expect([images, failures]).toEqual([[], [{ imageId: { tag: 'v1' }, code: 'ImageInaccessible', reason }]])
    await services.repositories.create(admin, refTo('other'))
    expect(await services.layers.mount(admin, refTo('other'), layer, ref)).toBe(false)
    // That it is there is no secret, and who may push may still ask for its layers.
    expect((await services.images.stat(admin, ref, { digest })).digest).toBe(digest)
    expect((await services.layers.stat(admin, ref, layer)).digest).toBe(layer)
    await run('admission/remove', { repositories: 'app' })
    expect(await refusal(pull(digest))).toBeUndefined()
    expect(await services.layers.mount(admin, refTo('other'), layer, ref)).toBe(true)
  })

  test('what was never scanned, and what could not be judged', async () => {
    await run('admission/set', { repositories: '*' })
    const unscanned = await pushFiles(services, ref, [FIXED], 'v1')
    expect(await refusal(pull(unscanned))).toContain('has not been scanned')
    await services.scanJobs.scanNow()
    expect(await refusal(pull(unscanned))).toBeUndefined()
    const strange = await push({ 'etc/hostname': 'x' })
    expect(await refusal(pull(strange))).toContain('could not be scanned: UnsupportedImageError')
  })

  test('by the age of the scan, which continuous scans keep young', async () => {
    await services.scanConfigurations.put(admin, registry, ENHANCED)
    await run('admission/set', { repositories: '*', 'max-age-seconds': '7200' })
    const digest = await push(FIXED, 'v1')
    services.clock.advance(3 * HOUR_MS)
    expect(await refusal(pull(digest))).toContain('too old')
    await importNow(openssl)
    expect(await refusal(pull(digest))).toBeUndefined()
  })

  test('under continuous scans also when advisories have grown old or become worse', async () => {
    await services.scanConfigurations.put(admin, registry, ENHANCED)
    await run('admission/set', { repositories: '*', severity: 'CRITICAL' })
    const digest = await push(FIXED, 'v1')
    expect(await refusal(pull(digest))).toBeUndefined()
    services.clock.advance(1_000)
    await importNow(osvRecord('DEBIAN-CVE-2026-9', ['Debian:12', 'openssl', '3.0.99-1'], { severity: [CRITICAL] }))
    await services.scanJobs.scanNow()
    expect(await refusal(pull(digest))).toContain('1 finding of CRITICAL')
    services.clock.advance(1_000 * 24 * HOUR_MS)
    expect(await refusal(pull(digest))).toContain('too old')
  })
})

test('an image that is scanned continuously again counts for what is known of it once it was compared', async () => {
  await services.scanConfigurations.put(admin, registry, ENHANCED)
  await run('admission/set', { repositories: '*', severity: 'CRITICAL' })
  const digest = await push(FIXED, 'v1')
  await services.scanConfigurations.put(admin, registry, { type: 'ENHANCED', rules: [] })
  services.clock.advance(1_000)
  await importNow(osvRecord('DEBIAN-CVE-2026-9', ['Debian:12', 'openssl', '3.0.99-1'], { severity: [CRITICAL] }))
  await services.scanJobs.scanNow()
  await services.scanConfigurations.put(admin, registry, ENHANCED)
  expect(await refusal(pull(digest))).toContain('has not been compared with yet')
  await services.scanJobs.scanNow()
  expect(await refusal(pull(digest))).toContain('1 finding of CRITICAL')
})

describe('a rule lets through', () => {
  test('exempt principals and exempt images until their day', async () => {
    const digest = await push(VULNERABLE, 'v1')
    const scanner = 'arn:aws:iam::123456789012:role/scanner'
    const exempt = { 'exempt-principals': scanner, 'exempt-images': `${digest}=2026-03-02T12:00:00Z` }
    await run('admission/set', { repositories: '*', severity: 'LOW', ...exempt })
    expect(await refusal(pull(digest))).toBeUndefined()
    services.clock.advance(12 * HOUR_MS)
    expect(await refusal(pull(digest))).toContain('CVE-2026-1')
    const session = { ...admin, arn: 'arn:aws:sts::123456789012:assumed-role/scanner/x', identityArn: scanner }
    expect(await refusal(pull(digest, session))).toBeUndefined()
  })

  test('what it would refuse, on trial, and tells', async () => {
    const digest = await push(VULNERABLE, 'v1')
    await run('admission/set', { repositories: '*', severity: 'LOW', 'dry-run': 'true' })
    const decided: object[] = []
    const watched = { ...admin, circumstances: { ...admin.circumstances, decided: (one: object) => decided.push(one) } }
    expect(await refusal(pull(digest, watched))).toBeUndefined()
    expect(services.refusedPulls).toMatchObject([
      { digest, isDryRun: true, reason: expect.stringContaining('CVE-2026-1') },
    ])
    expect(decided).toContainEqual(expect.objectContaining({ by: 'admission', outcome: 'denied', isEnforced: false }))
    for (const layer of await layersOf(digest))
      expect(await refusal(services.layers.open(admin, ref, layer))).toBeUndefined()
  })

  test('indexes, whose images are judged one by one, and layers that a good image shares', async () => {
    await run('admission/set', { repositories: '*', severity: 'LOW' })
    const bad = await pushFiles(services, ref, [FIXED, VULNERABLE])
    const good = await pushFiles(services, ref, [FIXED])
    await services.scanJobs.scanNow()
    const { image } = await services.images.push(admin, ref, {
      manifest: indexOf([bad, good]),
      tags: [parseTag('both')],
    })
    expect([await refusal(pull(image.digest)), await refusal(pull(good))]).toEqual([undefined, undefined])
    expect(await refusal(pull(bad))).toContain('CVE-2026-1')
    const [shared, own] = await layersOf(bad)
    if (shared === undefined || own === undefined) throw new Error('no layers')
    expect(await refusal(services.layers.open(admin, ref, shared))).toBeUndefined()
    expect(await refusal(services.layers.open(admin, ref, own))).toContain('CVE-2026-1')
  })

  test('signatures, attestations and SBOMs, but nothing that runs under their name', async () => {
    const digest = await push(VULNERABLE, 'v1')
    await run('admission/set', { repositories: '*', severity: 'LOW' })
    const sbom = (await run('sbom/attach', { image: 'app:v1' })) as { readonly artifactDigest: Digest }
    expect(await refusal(pull(sbom.artifactDigest))).toBeUndefined()
    for (const layer of await layersOf(sbom.artifactDigest))
      expect(await refusal(services.layers.open(admin, ref, layer))).toBeUndefined()
    const config = await pushLayer(services, ref, 'config')
    const layer = await pushBytes(services, ref, layerOf(VULNERABLE))
    const disguises = [
      { artifactType: 'application/vnd.example.signature' },
      { subject: { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest, size: 5 } },
    ]
    for (const disguise of disguises) {
      const manifest = manifestOf(config, [layer], disguise)
      const { image } = await services.images.push(admin, ref, { manifest, tags: [] })
      expect(await refusal(pull(image.digest))).toContain('has not been scanned')
    }
  })

  test('everybody elsewhere: other repositories, and registries without rules', async () => {
    const digest = await push(VULNERABLE, 'v1')
    await run('admission/set', { repositories: 'team/*', severity: 'LOW' })
    await run('admission/set', { repositories: 'app', severity: 'LOW', region: 'us-west-2' })
    expect(await refusal(pull(digest))).toBeUndefined()
  })
})

describe('findings are set aside', () => {
  test('by rules, until they end, with the reason', async () => {
    const digest = await push(VULNERABLE, 'v1')
    await run('admission/set', { repositories: '*', severity: 'LOW' })
    expect(await refusal(pull(digest))).toContain('CVE-2026-1')
    const wanted = { vulnerability: 'CVE-2026-1', reason: 'Not reachable.', until: '2026-03-02T10:00:00Z' }
    const { id } = (await run('suppressions/add', wanted)) as { readonly id: string }
    expect(await refusal(pull(digest))).toBeUndefined()
    expect(await run('suppressions/list')).toMatchObject({
      suppressions: [{ id, reason: 'Not reachable.', isExpired: false }],
    })
    services.clock.advance(3 * HOUR_MS)
    expect(await refusal(pull(digest))).toContain('CVE-2026-1')
    expect(await run('suppressions/list')).toMatchObject({ suppressions: [{ id, isExpired: true }] })
    await run('suppressions/remove', { id })
    await expect(run('suppressions/remove', { id })).rejects.toMatchObject({ code: 'invalid-parameter' })
  })

  const vex = (changes: object = {}) => ({
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': 'https://example.com/vex/1',
    author: 'Team',
    timestamp: '2026-03-01T00:00:00Z',
    version: 1,
    statements: [
      {
        vulnerability: { name: 'CVE-2026-1' },
        products: [{ '@id': 'pkg:oci/app' }],
        status: 'not_affected',
        justification: 'vulnerable_code_not_in_execute_path',
        ...changes,
      },
    ],
  })

  async function attach(digest: Digest, document: object | string): Promise<void> {
    const { image } = await services.contents.open(ref, { digest })
    const text = typeof document === 'string' ? document : JSON.stringify(document)
    const bytes = new TextEncoder().encode(text)
    await attachments.attach(admin, ref, image, { artifactType: VEX_ARTIFACT_TYPE, bytes, annotations: {} })
    services.clock.advance(11_000)
  }

  test('by OpenVEX documents that are attached to the image, with the reason', async () => {
    await services.scanConfigurations.put(admin, registry, ENHANCED)
    const digest = await push(VULNERABLE, 'v1')
    await run('admission/set', { repositories: '*', severity: 'LOW' })
    await attach(digest, vex({ products: [{ '@id': 'pkg:oci/other' }] }))
    expect(await refusal(pull(digest))).toContain('CVE-2026-1')
    await attach(digest, vex())
    expect(await refusal(pull(digest))).toBeUndefined()
    expect(await run('findings', { image: 'app:v1' })).toMatchObject({
      status: 'ACTIVE',
      counts: {},
      findings: [
        {
          id: 'CVE-2026-1',
          status: {
            kind: 'suppressed',
            by: 'vex',
            source: 'https://example.com/vex/1',
            reason: 'not_affected: vulnerable_code_not_in_execute_path',
          },
        },
      ],
    })
    // The latest statement counts.
    await attach(digest, vex({ status: 'affected', timestamp: '2026-03-01T12:00:00Z' }))
    expect(await refusal(pull(digest))).toContain('CVE-2026-1')
  })

  test('but not by what cannot be read, which is told', async () => {
    const digest = await push(VULNERABLE, 'v1')
    await run('admission/set', { repositories: '*', severity: 'LOW' })
    for (const document of ['{', '[]', vex({ status: 'fine' })]) await attach(digest, document)
    expect(await refusal(pull(digest))).toContain('CVE-2026-1')
    expect(services.unusableVex).toHaveLength(3)
  })
})

describe('the commands', () => {
  test('show, list and replace rules', async () => {
    await run('admission/set', { repositories: '*', severity: 'CRITICAL', 'ignore-unfixed': 'true' })
    await run('admission/set', { repositories: 'app', 'max-age-seconds': '60' })
    const all = (await run('admission/list')) as { readonly rules: readonly object[] }
    expect(all.rules).toMatchObject([
      { repositories: '*', severity: 'CRITICAL', ignoresUnfixed: true },
      { repositories: 'app', ageMsMax: 60_000, isDryRun: false },
    ])
    expect(await run('admission/show', { repository: 'app' })).toMatchObject({ rules: [{ repositories: 'app' }] })
    expect(await run('admission/show', { repository: 'web' })).toMatchObject({ rules: [{ repositories: '*' }] })
    await run('admission/remove', { repositories: '*' })
    expect(await run('admission/show', { repository: 'web' })).toEqual({ rules: [] })
  })

  test.each<[Parameters<ScanCommands['run']>[0], ScanParameters]>([
    ['admission/set', { repositories: '*', severity: 'BAD' }],
    ['admission/set', { repositories: '*', 'dry-run': 'perhaps' }],
    ['admission/set', { repositories: '*', 'max-age-seconds': '0' }],
    ['admission/set', { repositories: '*', 'exempt-images': 'sha256:12' }],
    ['admission/set', { repositories: '*', 'exempt-principals': 'me' }],
    ['admission/set', { severity: 'HIGH' }],
    ['admission/remove', { repositories: 'nothing' }],
    ['suppressions/add', { vulnerability: 'CVE-2026-1', reason: ' ' }],
    ['suppressions/add', { vulnerability: '', reason: 'x' }],
    ['suppressions/add', { vulnerability: 'CVE-2026-1', reason: 'x', until: '2020-01-01' }],
    ['suppressions/add', { vulnerability: 'CVE-2026-1', reason: 'x', until: 'soon' }],
    ['suppressions/add', { vulnerability: 'CVE-2026-1', reason: 'x', repository: 'App' }],
  ])('%s refuses %p', async (command, parameters) => {
    await expect(run(command, parameters)).rejects.toThrow()
  })
})
