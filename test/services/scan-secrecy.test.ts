import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { ANALYSER_VERSION } from '../../src/domain/inventory/analyser-version.ts'
import type { Repository } from '../../src/domain/repository.ts'
import { kmsKeyOf, PLAIN } from '../../src/domain/vault.ts'
import { packed } from '../../src/lib/packed-json.ts'
import { getRepository } from '../../src/services/repositories/repositories.ts'
import { type OsvRecord, osvRecord, RecordDirectory } from '../support/advisory-data.ts'
import { debian, pushFiles } from '../support/scannable-images.ts'
import { admin, createServices, refTo, registry, type Services } from '../support/service-fixture.ts'

const ref = refTo('locked')
const openssl = osvRecord('DEBIAN-CVE-2026-1', ['Debian:12', 'openssl', '3.0.10-1'], {
  upstream: ['CVE-2026-1'],
  severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
})
const image = debian(['openssl', '3.0.9-1'], ['bash', '5.2'])
let services: Services
let directory: RecordDirectory
let repository: Repository
let digest: Digest
let imageId: number

beforeEach(async () => {
  directory = new RecordDirectory()
  services = await createServices()
  const rules = [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] as const
  await services.scanConfigurations.put(admin, registry, { type: 'ENHANCED', rules })
  await importNow(openssl)
  await services.repositories.create(admin, ref, { encryption: { type: 'KMS' } })
  repository = await getRepository(services.metadata.view, ref)
  digest = await pushFiles(services, ref, [image], 'v1')
  await services.scanJobs.scanNow()
  imageId = (await services.metadata.view.images.find(repository.id, { digest }))?.id ?? 0
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

async function findings() {
  const { state, result } = await services.scanFindings.describe(admin, ref, { digest }, { limit: 100 })
  return [state.status, ...(result?.findings.map(({ finding }) => finding.id) ?? [])]
}

async function kept() {
  const { view } = services.metadata
  const scan = await view.scans.find(imageId, 'ENHANCED')
  const { layers } = (await services.contents.open(ref, { digest })).manifest
  const vault = services.vaults.vaultOf(repository)
  return {
    inventory: await view.scans.findInventory(imageId, ANALYSER_VERSION),
    parts: await view.scans.listParts(scan?.id ?? 0, 0, 9),
    facts: await Promise.all(
      layers.map(async (layer) => ({
        plain: await view.inventories.findFacts({ ...layer, vault: PLAIN }, ANALYSER_VERSION),
        sealed: await view.inventories.findFacts({ ...layer, vault }, ANALYSER_VERSION),
      })),
    ),
    named: await view.packageIndex.imagesWith([{ ecosystem: 'Debian:12', name: 'openssl' }]),
  }
}

const isClear = (bytes: Uint8Array | undefined) => {
  try {
    Bun.zstdDecompressSync(bytes ?? new Uint8Array())
    return true
  } catch {
    return false
  }
}

async function setKeyEnabled(isEnabled: boolean): Promise<void> {
  const arn = kmsKeyOf(services.vaults.vaultOf(repository)) ?? ''
  const key = await services.metadata.view.keys.find(arn.slice(-36))
  if (key === undefined) throw new Error('the repository has no key')
  await services.metadata.transact((tx) => tx.keys.update({ ...key, state: isEnabled ? 'Enabled' : 'Disabled' }))
}

describe('what scans find in a repository with a key of KMS', () => {
  test('is shown, and lies nowhere in clear', async () => {
    expect(await findings()).toEqual(['ACTIVE', 'CVE-2026-1'])
    const { inventory, parts, facts, named } = await kept()
    expect(kmsKeyOf(inventory?.vault ?? PLAIN)).toBeDefined()
    expect(isClear(inventory?.body)).toBe(false)
    expect(parts.length).toBe(1)
    for (const part of parts) expect([kmsKeyOf(part.vault) !== undefined, isClear(part.body)]).toEqual([true, false])
    for (const { plain, sealed } of facts) {
      expect([plain, sealed === undefined]).toEqual([undefined, false])
      expect(isClear(sealed)).toBe(false)
    }
    expect(named).toEqual([])
  })

  test('follows a change of advisories, though nobody can read what the image holds', async () => {
    await importNow(osvRecord('DEBIAN-CVE-2026-5', ['Debian:12', 'bash', '5.3'], { upstream: ['CVE-2026-5'] }))
    expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 1, scanned: 0 })
    expect(await findings()).toEqual(['ACTIVE', 'CVE-2026-1', 'CVE-2026-5'])
    await importNow(osvRecord('DEBIAN-CVE-2026-6', ['Debian:12', 'curl', '9'], { upstream: ['CVE-2026-6'] }))
    expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 0 })
  })

  test('is out of reach with its key, and a scan then says so', async () => {
    await setKeyEnabled(false)
    await expect(findings()).rejects.toMatchObject({ code: 'kms-key-unusable' })
    await importNow(osvRecord('DEBIAN-CVE-2026-5', ['Debian:12', 'bash', '5.3'], { upstream: ['CVE-2026-5'] }))
    expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 1 })
    expect((await services.scanFindings.describe(admin, ref, { digest }, { limit: 9 })).state.status).toBe('FAILED')
    await setKeyEnabled(true)
    await importNow(osvRecord('DEBIAN-CVE-2026-5', ['Debian:12', 'bash', '5.4'], { upstream: ['CVE-2026-5'] }))
    expect(await services.scanJobs.scanNow()).toMatchObject({ compared: 1 })
    expect(await findings()).toEqual(['ACTIVE', 'CVE-2026-1', 'CVE-2026-5'])
  })

  test('is sealed where an earlier version has left it in clear, once', async () => {
    const { view } = services.metadata
    const scan = await view.scans.find(imageId, 'ENHANCED')
    const opened = await services.keptFindings.open(view, repository, scan?.id ?? 0)
    const inventory = await services.keptFindings.findInventory(view, repository, imageId)
    await services.metadata.transact(async (tx) => {
      const parts = opened.texts.map((text, part) => ({ part, vault: PLAIN, body: packed(text) }))
      await tx.scans.replaceParts(scan?.id ?? 0, parts)
      const body = packed(JSON.stringify(inventory))
      await tx.scans.putInventory(imageId, ANALYSER_VERSION, { vault: PLAIN, body })
      await tx.packageIndex.put(imageId, [{ ecosystem: 'Debian:12', name: 'openssl' }])
    })
    expect(await findings()).toEqual(['ACTIVE', 'CVE-2026-1'])
    const again = services.newScanJobs()
    expect(await again.scanNow()).toMatchObject({ sealed: 1 })
    const now = await kept()
    expect([isClear(now.inventory?.body), isClear(now.parts[0]?.body), now.named]).toEqual([false, false, []])
    expect(await findings()).toEqual(['ACTIVE', 'CVE-2026-1'])
    expect(await again.scanNow()).toMatchObject({ sealed: 0 })
    await again.close()
  })
})
