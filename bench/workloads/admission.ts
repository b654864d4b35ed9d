import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { tarOf } from '../../test/support/tar-builder.ts'
import { type Bench, interleave, type Workload, withFreshRegistry } from '../bench.ts'
import { callEcr, ecru, runEcru } from '../peers/ecru.ts'
import { pushBlob, request } from '../registry-client.ts'
import type { RunningRegistry } from '../registry-peer.ts'
import { atLeastLimit } from '../row.ts'
import { hammerGet } from '../wrk.ts'

const REPOSITORY = 'bench/admission'
const WITHOUT = 'without a rule'
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json'

/** What admission costs: manifests by tag of an image that was scanned, under a rule that lets it pass, beside the same without a rule. */
export const admission: Workload = {
  name: 'admission',
  async run(bench) {
    const osv = join(bench.directory, 'admission-osv')
    await writeAdvisory(osv)
    try {
      return await withFreshRegistry(bench, ecru, async (registry) => {
        await runEcru(registry, ['advisories', 'import', osv])
        await pushScanned(registry)
        const samples = await interleave(
          bench,
          'admission',
          [{ name: 'Ecru' }, { name: WITHOUT }],
          async ({ name }) => ({
            speed: await measure(bench, registry, name !== WITHOUT),
          }),
        )
        const taken = [...samples('speed')]
        return [
          {
            title: 'manifest GET by tag, under a rule of admission',
            unit: 'requests/s',
            better: 'higher',
            samples: new Map(taken.filter(([name]) => name !== WITHOUT)),
            limits: new Map(taken.filter(([name]) => name === WITHOUT)),
            budgets: [atLeastLimit(0.5, WITHOUT)],
          },
        ]
      })
    } finally {
      await rm(osv, { recursive: true, force: true })
    }
  },
}

async function measure(bench: Bench, registry: RunningRegistry, hasRule: boolean): Promise<number> {
  if (hasRule) await runEcru(registry, ['admission', 'set', '*', '--severity', 'CRITICAL', '--max-age', '30d'])
  try {
    const url = `${registry.url}/v2/${REPOSITORY}/manifests/latest`
    return await hammerGet(
      url,
      { accept: MANIFEST_TYPE, authorization: registry.authorization ?? '' },
      bench.quick ? 1 : 4,
    )
  } finally {
    if (hasRule) await runEcru(registry, ['admission', 'remove', '*'])
  }
}

/** An image of Debian with one flaw that the rule puts up with. */
async function pushScanned(registry: RunningRegistry): Promise<void> {
  await registry.createRepository(REPOSITORY)
  const imageScanningConfiguration = { scanOnPush: true }
  await callEcr(registry.url, 'PutImageScanningConfiguration', {
    repositoryName: REPOSITORY,
    imageScanningConfiguration,
  })
  const status = 'Package: openssl\nStatus: install ok installed\nVersion: 3.0.9-1\n'
  const layer = tarOf([
    { path: 'etc/os-release', content: 'ID=debian\nVERSION_ID="12"\n' },
    { path: 'var/lib/dpkg/status', content: status },
  ])
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' } }))
  const descriptor = async (mediaType: string, bytes: Uint8Array) => ({
    mediaType,
    digest: await pushBlob(registry, REPOSITORY, bytes),
    size: bytes.byteLength,
  })
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST_TYPE,
    config: await descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [await descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  })
  const target = `/v2/${REPOSITORY}/manifests/latest`
  await (await request(registry, 'PUT', target, 201, { body: manifest, contentType: MANIFEST_TYPE })).arrayBuffer()
  for (;;) {
    const input = { repositoryName: REPOSITORY, imageId: { imageTag: 'latest' } }
    const answer = (await callEcr(registry.url, 'DescribeImageScanFindings', input)) as {
      imageScanStatus: { status: string; description?: string }
    }
    const { status: state, description } = answer.imageScanStatus
    if (state === 'COMPLETE') return
    if (state !== 'IN_PROGRESS') throw new Error(`the scan has ended as ${state}: ${description}`)
    await Bun.sleep(20)
  }
}

async function writeAdvisory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const record = {
    id: 'DEBIAN-CVE-2026-1',
    modified: new Date().toISOString(),
    upstream: ['CVE-2026-1'],
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H' }],
    affected: [
      {
        package: { ecosystem: 'Debian:12', name: 'openssl' },
        ranges: [{ type: 'ECOSYSTEM', events: [{ introduced: '0' }, { fixed: '3.0.10-1' }] }],
      },
    ],
  }
  await writeFile(join(directory, `${record.id}.json`), JSON.stringify(record))
}
