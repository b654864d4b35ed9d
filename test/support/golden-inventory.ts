import type { Digest } from '../../src/domain/digest.ts'
import type { FoundPackage, Inventory, OperatingSystem, PackageType } from '../../src/domain/inventory/package.ts'
import { purlOf } from '../../src/domain/inventory/purl.ts'
import { unpackedText } from './advisory-data.ts'

interface GoldenPackage {
  readonly type: string
  readonly name: string
  readonly version: string
  readonly source?: string
  readonly sourceVersion?: string
  readonly arch?: string
  readonly path?: string
  readonly layer: string
}

export interface GoldenVulnerability {
  readonly id: string
  readonly package: string
  readonly installed: string
  readonly fixed?: string
  readonly path?: string
  readonly severity: string
  readonly type: string
  readonly layer: string
}

/** What Trivy said of an image. */
export interface Golden {
  readonly os: { readonly Family: string; readonly Name: string; readonly EOSL?: boolean }
  readonly packages: readonly GoldenPackage[]
  readonly vulnerabilities: readonly GoldenVulnerability[]
}

export function readGolden(image: string): Golden {
  return JSON.parse(unpackedText(`scan-oracles/trivy/${image}.trivy.json.gz`)) as Golden
}

const TYPES: Readonly<Record<string, PackageType>> = {
  debian: 'deb',
  alpine: 'apk',
  alma: 'rpm',
  centos: 'rpm',
  'suse linux enterprise server': 'rpm',
  'node-pkg': 'npm',
  'python-pkg': 'pypi',
  jar: 'maven',
  'dotnet-core': 'nuget',
  gemspec: 'gem',
}

const DISTRIBUTIONS: Readonly<Record<string, string>> = {
  alma: 'almalinux',
  'suse linux enterprise server': 'sles',
}

/** The packages of an image as Trivy read them. */
export function inventoryOf({ os: { Family, Name }, packages }: Golden): Pick<Inventory, 'os' | 'packages'> {
  const os: OperatingSystem = { id: DISTRIBUTIONS[Family] ?? Family, idLike: [], versionId: Name }
  return { os, packages: packages.map((golden) => packageOf(golden, os)) }
}

function packageOf(golden: GoldenPackage, os: OperatingSystem): FoundPackage {
  const type = TYPES[golden.type]
  if (type === undefined) throw new Error(`No type of packages: ${golden.type}`)
  const { name, version, arch } = golden
  return {
    type,
    name,
    version,
    arch,
    sourceName: golden.source,
    sourceVersion: golden.sourceVersion,
    filePath: golden.path,
    layerDigest: golden.layer as Digest,
    licences: [],
    purl: purlOf({ type, name, version, arch }, os),
  }
}
