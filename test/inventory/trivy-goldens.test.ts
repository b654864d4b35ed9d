import { describe, expect, test } from 'bun:test'
import { INVENTORY_LIMITS } from '../../src/domain/inventory/limits.ts'
import { mergeLayers } from '../../src/domain/inventory/merge.ts'
import type { FoundPackage, Inventory, PackageType } from '../../src/domain/inventory/package.ts'
import { analyseLayer } from '../../src/workers/layer-analysis.ts'
import { type SavedLayer, savedLayers } from '../support/saved-image.ts'

const FIXTURES = 'test/data/scan-images'

interface Golden {
  readonly os: { readonly Family: string; readonly Name: string }
  readonly packages: readonly {
    readonly type: string
    readonly name: string
    readonly version: string
    readonly layer: string
    readonly arch?: string
    readonly source?: string
    readonly sourceVersion?: string
    readonly path?: string
  }[]
}

/** What Trivy calls the packages of a distribution is the distribution's name, which is compared apart. */
const TYPES: Readonly<Record<string, PackageType>> = {
  alma: 'rpm',
  centos: 'rpm',
  'suse linux enterprise server': 'rpm',
  alpine: 'apk',
  debian: 'deb',
  'node-pkg': 'npm',
  'python-pkg': 'pypi',
  gemspec: 'gem',
  jar: 'maven',
  'dotnet-core': 'nuget',
}

const FAMILIES: Readonly<Record<string, string>> = {
  alma: 'almalinux',
  'suse linux enterprise server': 'sles',
}

/** Where an inventory is right to differ from Trivy's, package by package, and why. */
const DIFFERENCES: Readonly<Record<string, readonly { readonly found: string; readonly because: string }[]>> = {
  langs: ['composer guzzlehttp/guzzle 7.4.0', 'composer symfony/http-kernel v4.4.12'].map((found) => ({
    found,
    because: 'this Trivy does not read vendor/composer/installed.json',
  })),
}

async function inventoryOf(layers: readonly SavedLayer[]): Promise<Inventory> {
  const analysed = []
  for (const { digest, mediaType, bytes } of layers) {
    const request = { mediaType, limits: INVENTORY_LIMITS, wanted: new Map() }
    analysed.push({ digest, facts: await analyseLayer(new Blob([bytes]).stream(), request) })
  }
  return mergeLayers(analysed, 1).inventory
}

const print = (one: FoundPackage) =>
  [
    one.type,
    one.name,
    one.version,
    one.arch ?? '',
    one.sourceName ?? '',
    one.sourceVersion ?? '',
    one.filePath ?? '',
    one.layerDigest,
  ].join(' | ')

const printGolden = (one: Golden['packages'][number]) =>
  [
    TYPES[one.type] ?? one.type,
    one.name,
    one.version,
    one.arch ?? '',
    one.source ?? '',
    one.sourceVersion ?? '',
    one.path ?? '',
    one.layer,
  ].join(' | ')

const images = (await Array.fromAsync(new Bun.Glob('*.tar.gz').scan(FIXTURES))).sort()

describe('every image has the packages that Trivy finds in it', () => {
  test('there are eight', () => expect(images).toHaveLength(8))

  for (const file of images) {
    const name = file.replace('.tar.gz', '')
    test(name, async () => {
      const golden: Golden = await Bun.file(`${FIXTURES}/trivy/${name}.trivy.json`).json()
      const { os, packages, notes } = await inventoryOf(await savedLayers(`${FIXTURES}/${file}`))
      const differing = DIFFERENCES[name] ?? []
      const plain = ({ type, name, version }: FoundPackage) => `${type} ${name} ${version}`
      const alike = packages.filter((one) => !differing.some(({ found }) => found === plain(one)))
      expect(alike.map(print).sort()).toEqual(golden.packages.map(printGolden).sort())
      expect(packages.length - alike.length).toBe(differing.length)
      expect(os?.id).toBe(FAMILIES[golden.os.Family] ?? golden.os.Family)
      expect(os?.release).toBe(golden.os.Name)
      expect(notes).toEqual([])
    })
  }
})
