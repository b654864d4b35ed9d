import { describe, expect, test } from 'bun:test'
import { ecosystemOf } from '../../src/domain/advisories/ecosystems.ts'
import { parseDigest } from '../../src/domain/digest.ts'
import { INVENTORY_LIMITS } from '../../src/domain/inventory/limits.ts'
import { mergeLayers } from '../../src/domain/inventory/merge.ts'
import type { Inventory } from '../../src/domain/inventory/package.ts'
import { analyseLayer } from '../../src/workers/layer-analysis.ts'
import { type TarFile, tarOf } from '../support/tar-builder.ts'

async function inventoryOf(...layers: readonly (readonly TarFile[])[]): Promise<Inventory> {
  const analysed = []
  for (const [n, entries] of layers.entries())
    analysed.push({
      digest: parseDigest(`sha256:${n.toString(16).padStart(64, '0')}`),
      facts: await analyseLayer(new Blob([tarOf(entries)]).stream(), {
        mediaType: 'application/vnd.oci.image.layer.v1.tar',
        limits: INVENTORY_LIMITS,
        wanted: new Map(),
      }),
    })
  return mergeLayers(analysed, 1).inventory
}

const named = ({ packages }: Inventory) =>
  packages.map(({ type, name, version, filePath }) => [type, name, version, filePath ?? '-'].join(' '))

const sbom = (path: string, ...purls: readonly string[]): TarFile => ({
  path,
  content: JSON.stringify({ bomFormat: 'CycloneDX', components: purls.map((purl) => ({ purl })) }),
})
const npm: TarFile = { path: 'app/node_modules/qs/package.json', content: '{"name":"qs","version":"6.5.1"}' }
const dpkg: TarFile = {
  path: 'var/lib/dpkg/status',
  content: 'Package: bash\nStatus: install ok installed\nVersion: 5\n',
}
const BITNAMI = 'opt/bitnami/postgresql/.spdx-postgresql.spdx'

describe('packages that an SBOM in the image states', () => {
  test('count with the file that says so, whatever brought them', async () => {
    const found = await inventoryOf([sbom(BITNAMI, 'pkg:bitnami/postgresql@15.3.0', 'pkg:maven/a/b@1')])
    expect(named(found)).toEqual([`bitnami postgresql 15.3.0 ${BITNAMI}`, `maven a:b 1 ${BITNAMI}`])
    expect(found.packages[0]?.purl).toBe('pkg:bitnami/postgresql@15.3.0')
    expect(ecosystemOf('bitnami', undefined)).toBe('Bitnami')
  })

  test('are not told twice where they were found themselves', async () =>
    expect(named(await inventoryOf([npm], [sbom('app/x.cdx.json', 'pkg:npm/qs@6.5.1', 'pkg:npm/qs@6.5.2')]))).toEqual([
      'npm qs 6.5.1 app/node_modules/qs/package.json',
      'npm qs 6.5.2 app/x.cdx.json',
    ]))

  test('of the operating system count only where it has no database of its own', async () => {
    const stated = sbom('usr/share/sbom.spdx.json', 'pkg:deb/debian/curl@7.88?arch=amd64')
    expect(named(await inventoryOf([stated]))).toEqual(['deb curl 7.88 -'])
    expect(named(await inventoryOf([dpkg], [stated]))).toEqual(['deb bash 5 -'])
  })

  test('are gone with their file, and not read where the OS package manager put it', async () => {
    const file = sbom(BITNAMI, 'pkg:bitnami/postgresql@15.3.0')
    expect(named(await inventoryOf([file], [{ path: 'opt/bitnami/.wh.postgresql' }]))).toEqual([])
    const apk: TarFile = {
      path: 'lib/apk/db/installed',
      content: 'P:ca\nV:1\nF:var/lib/db/sbom\nR:ca-1.spdx.json\n\n',
    }
    expect(named(await inventoryOf([apk, sbom('var/lib/db/sbom/ca-1.spdx.json', 'pkg:npm/a@1')]))).toEqual([
      'apk ca 1 -',
    ])
  })

  test('one that cannot be read is noted', async () => {
    const broken: TarFile = { path: BITNAMI, content: '{"spdxVersion":"SPDX-2.3","packages":[' }
    expect((await inventoryOf([broken])).notes).toMatchObject([{ path: BITNAMI, reason: 'it is not valid JSON' }])
  })
})

describe('a lock of pnpm', () => {
  const lock: TarFile = {
    path: 'app/pnpm-lock.yaml',
    content: "lockfileVersion: '6.0'\npackages:\n  /a@1.0.0:\n    x: y\n",
  }

  test('counts where nothing is installed', async () => {
    expect(named(await inventoryOf([lock]))).toEqual(['npm a 1.0.0 app/pnpm-lock.yaml'])
    expect(named(await inventoryOf([lock, npm]))).toEqual(['npm qs 6.5.1 app/node_modules/qs/package.json'])
  })
})

describe('Alpine of which every repository is that of edge', () => {
  const release: TarFile = { path: 'etc/os-release', content: 'ID=alpine\nVERSION_ID=3.19.0\n' }
  const repositories = (...lines: readonly string[]): TarFile => ({
    path: 'etc/apk/repositories',
    content: lines.map((line) => `${line}\n`).join(''),
  })
  const edge = 'https://dl-cdn.alpinelinux.org/alpine/edge/main'

  test('is edge', async () => {
    const { os } = await inventoryOf([
      release,
      repositories('# a remark', edge, '@testing http://x/alpine/edge/testing'),
    ])
    expect(ecosystemOf('apk', os)).toBe('Alpine:edge')
  })

  test('and else its release', async () => {
    for (const lines of [[], ['# /edge/'], ['http://x/alpine/v3.19/main', edge]])
      expect(ecosystemOf('apk', (await inventoryOf([release, repositories(...lines)])).os)).toBe('Alpine:v3.19')
  })
})
