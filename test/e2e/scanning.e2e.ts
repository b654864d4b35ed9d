import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import {
  DescribeImageScanFindingsCommand,
  PutImageScanningConfigurationCommand,
  waitUntilImageScanComplete,
} from '@aws-sdk/client-ecr'
import { client, testWith } from '../support/clients/client-test.ts'
import { run } from '../support/clients/run-command.ts'
import { openStage, type Stage, useStage } from '../support/clients/stage.ts'
import { push, wire } from '../support/clients/wire.ts'
import { type BuiltImage, blob, buildImage, noise } from '../support/image-builder.ts'
import { ecrClient, freePort, program } from '../support/start-registry.ts'

const RULES = JSON.stringify([
  { scanFrequency: 'CONTINUOUS_SCAN', repositoryFilters: [{ filter: '*', filterType: 'WILDCARD' }] },
])

/** An image of Debian 12 with an old openssl, and with lodash of npm. */
function vulnerable(seed: string, more: Readonly<Record<string, Uint8Array>> = {}): BuiltImage {
  const stanza = 'Package: openssl\nStatus: install ok installed\nArchitecture: amd64\nVersion: 3.0.9-1\n'
  const debian = {
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
    'var/lib/dpkg/status': stanza,
    'etc/seed': seed,
  }
  const npm = { 'app/node_modules/lodash/package.json': '{"name":"lodash","version":"4.17.20"}' }
  return buildImage(seed, { layers: [debian, npm, ...(Object.keys(more).length === 0 ? [] : [more])] })
}

/** Advisories about both, of this moment. */
async function importAdvisories(stage: Stage, ...more: readonly string[]): Promise<void> {
  const dir = stage.path('osv')
  const flaws = [
    ['DEBIAN-CVE-2026-1', 'Debian:12', 'openssl', '3.0.10-1', 'CVE-2026-1'],
    ['GHSA-aaaa-bbbb-cccc', 'npm', 'lodash', '4.17.21', 'CVE-2026-3'],
    ...more.map((cve) => [`DEBIAN-${cve}`, 'Debian:12', 'openssl', '3.0.11-1', cve]),
  ]
  for (const [id, ecosystem, name, fixed, cve] of flaws)
    await Bun.write(
      join(dir, `${id}.json`),
      JSON.stringify({
        id,
        modified: new Date().toISOString(),
        upstream: [cve],
        aliases: id?.startsWith('GHSA') ? [cve] : [],
        details: `${cve} of ${name}.`,
        severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
        affected: [
          { package: { ecosystem, name }, ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed }] }] },
        ],
      }),
    )
  await run([...program(), 'advisories', 'import', dir, '--url', stage.url], { env: stage.awsEnvironment })
}

interface Findings {
  readonly imageScanStatus: { readonly status: string; readonly description?: string }
  readonly imageScanFindings?: {
    readonly findings?: readonly { readonly name: string }[]
    readonly enhancedFindings?: readonly { readonly title: string }[]
  }
}

describe('a push is scanned without further action', () => {
  const stage = useStage({ repositories: ['scan/basic', 'scan/enhanced'] })
  const aws = (...args: string[]) => run([client('aws'), ...args], { env: stage.awsEnvironment, cwd: stage.dir })
  const findingsOf = async (repository: string, ...more: string[]) => {
    const of = ['--repository-name', repository, '--image-id', 'imageTag=v1']
    return JSON.parse(await aws('ecr', 'describe-image-scan-findings', ...of, ...more)) as Findings
  }

  testWith('aws', 'crane')('basic: pushed by a real client; the CLI waits and reads', async () => {
    await importAdvisories(stage)
    await aws(
      ...['ecr', 'put-image-scanning-configuration', '--repository-name', 'scan/basic'],
      ...['--image-scanning-configuration', 'scanOnPush=true'],
    )
    await writeLayout(stage, vulnerable('basic'))
    const env = { DOCKER_CONFIG: stage.dir }
    await run([client('crane'), 'auth', 'login', stage.host, '-u', 'AWS', '-p', stage.password], { env })
    await run([client('crane'), 'push', '--insecure', stage.path('layout'), `${stage.host}/scan/basic:v1`], { env })
    await aws('ecr', 'wait', 'image-scan-complete', '--repository-name', 'scan/basic', '--image-id', 'imageTag=v1')
    const { imageScanStatus, imageScanFindings } = await findingsOf('scan/basic')
    expect(imageScanStatus.status).toBe('COMPLETE')
    expect(imageScanFindings?.findings?.map(({ name }) => name)).toEqual(['CVE-2026-1'])
  })

  testWith('aws')('enhanced: pages, Inspector, and a later advisory', async () => {
    await aws('ecr', 'put-registry-scanning-configuration', '--scan-type', 'ENHANCED', '--rules', RULES)
    await push(stage, 'scan/enhanced', vulnerable('enhanced'), 'v1')
    const until = async (isDone: (found: Findings) => boolean) => {
      for (;;) {
        const found = await findingsOf('scan/enhanced', '--page-size', '1')
        if (isDone(found)) return found.imageScanFindings?.enhancedFindings?.map(({ title }) => title)
      }
    }
    expect(await until(({ imageScanStatus }) => imageScanStatus.status === 'ACTIVE')).toEqual([
      'CVE-2026-3 - lodash',
      'CVE-2026-1 - openssl',
    ])
    await importAdvisories(stage, 'CVE-2026-9')
    const isThere = (found: Findings) => found.imageScanFindings?.enhancedFindings?.length === 3
    expect(await until(isThere)).toContain('CVE-2026-9 - openssl')
    const equals = (value: string) => [{ comparison: 'EQUALS', value }]
    const criteria = JSON.stringify({
      vulnerabilityId: equals('CVE-2026-9'),
      ecrImageRepositoryName: equals('scan/enhanced'),
    })
    const listed = JSON.parse(await aws('inspector2', 'list-findings', '--filter-criteria', criteria)) as {
      readonly findings: readonly { readonly title: string; readonly severity: string }[]
    }
    expect(listed.findings).toMatchObject([{ title: 'CVE-2026-9 - openssl', severity: 'CRITICAL' }])
    const request = JSON.stringify({ repositoryAggregation: { repositories: equals('scan/enhanced') } })
    const of = ['--aggregation-type', 'REPOSITORY', '--aggregation-request', request]
    const sums = ['inspector2', 'list-finding-aggregations', ...of]
    expect(JSON.parse(await aws(...sums))).toMatchObject({
      responses: [{ repositoryAggregation: { repository: 'scan/enhanced', severityCounts: { all: 3 } } }],
    })
  })

  testWith('python-with-boto3')('boto3 walks the pages', async () => {
    const script = `
import boto3, json
pages = boto3.client('ecr').get_paginator('describe_image_scan_findings').paginate(
    repositoryName='scan/enhanced', imageId={'imageTag': 'v1'}, PaginationConfig={'PageSize': 1})
print(json.dumps([f['title'] for p in pages for f in p['imageScanFindings']['enhancedFindings']]))
covered = boto3.client('inspector2').get_paginator('list_coverage').paginate()
print(json.dumps([r['scanStatus']['statusCode'] for p in covered for r in p['coveredResources']]))
`
    await writeFile(stage.path('walk.py'), script)
    const [titles = '', codes = ''] = (
      await run([client('python-with-boto3'), stage.path('walk.py')], { env: stage.awsEnvironment })
    )
      .trim()
      .split('\n')
    expect(JSON.parse(titles)).toHaveLength(3)
    expect(new Set(JSON.parse(codes) as string[])).toEqual(new Set(['ACTIVE']))
  })

  test('bombs and rubbish fail with a reason, and the registry goes on', async () => {
    const ecr = ecrClient(stage.url)
    const zeros = gzipSync(Buffer.alloc(64 * 1024 * 1024))
    for (const [tag, bytes] of [
      ['cut', gzipSync(noise('cut', 100_000)).subarray(0, 50_000)],
      ['zeros', zeros],
      ['rubbish', noise('rubbish', 5_000)],
    ] as const) {
      const image = buildImage(tag, { layers: [{ a: 'a' }] })
      const layer = blob('application/vnd.oci.image.layer.v1.tar+gzip', Buffer.from(bytes))
      const document = JSON.parse(image.manifest.bytes.toString()) as object
      const layers = [{ mediaType: layer.mediaType, digest: layer.digest, size: layer.bytes.length }]
      const manifest = blob(image.manifest.mediaType, Buffer.from(JSON.stringify({ ...document, layers })))
      await push(stage, 'scan/enhanced', { ...image, manifest, layers: [{ ...layer, tar: layer.bytes }] }, tag)
      const input = { repositoryName: 'scan/enhanced', imageId: { imageTag: tag } }
      for (;;) {
        const { imageScanStatus } = await ecr.send(new DescribeImageScanFindingsCommand(input))
        if (imageScanStatus?.status === 'PENDING') continue
        expect(imageScanStatus).toMatchObject({ status: 'FAILED', description: expect.stringMatching(/./) })
        break
      }
    }
    expect((await wire(stage, 'scan/enhanced/manifests/v1')).status).toBe(200)
    ecr.destroy()
  }, 60_000)
})

describe('SIGKILL in the middle of a scan', () => {
  let dataDir: string
  let port: number
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ecru-scan-'))
    port = await freePort()
  })
  afterAll(() => rm(dataDir, { recursive: true, force: true }))

  test('the scan is done after the restart', async () => {
    const repositoryName = 'scan/killed'
    const before = await openStage({ dataDir, port, repositories: [repositoryName] })
    const ecr = ecrClient(before.url)
    await importAdvisories(before)
    const imageScanningConfiguration = { scanOnPush: true }
    await ecr.send(new PutImageScanningConfigurationCommand({ repositoryName, imageScanningConfiguration }))
    const large = vulnerable('killed', { 'opt/data': noise('killed', 40_000_000) })
    await push(before, repositoryName, large, 'v1')
    const input = { repositoryName, imageId: { imageTag: 'v1' } }
    const { imageScanStatus } = await ecr.send(new DescribeImageScanFindingsCommand(input))
    expect(imageScanStatus?.status).toBe('IN_PROGRESS')
    await before.registry.kill()
    const after = await openStage({ dataDir, port })
    try {
      await waitUntilImageScanComplete({ client: ecrClient(after.url), maxWaitTime: 60 }, input)
      const { imageScanFindings } = await ecrClient(after.url).send(new DescribeImageScanFindingsCommand(input))
      expect(imageScanFindings?.findings?.map(({ name }) => name)).toEqual(['CVE-2026-1'])
    } finally {
      await after.close()
      await before.close()
    }
  }, 120_000)
})

/** An OCI layout that clients can push. */
async function writeLayout(stage: Stage, image: BuiltImage): Promise<void> {
  const layout = stage.path('layout')
  const { manifest } = image
  const blobs = [manifest, image.config, ...image.layers]
  for (const { digest, bytes } of blobs) await Bun.write(join(layout, 'blobs', digest.replace(':', '/')), bytes)
  await Bun.write(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const manifests = [{ mediaType: manifest.mediaType, digest: manifest.digest, size: manifest.bytes.length }]
  await Bun.write(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
}
