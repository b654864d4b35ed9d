import type { FoundPackage, OperatingSystem, PackageType } from '../inventory/package.ts'
import { compareApk } from '../versions/apk.ts'
import { compareBitnami } from '../versions/bitnami.ts'
import { compareDpkg } from '../versions/dpkg.ts'
import { compareGo } from '../versions/go.ts'
import { compareHackage } from '../versions/hackage.ts'
import { compareMaven } from '../versions/maven.ts'
import { compareNuget } from '../versions/nuget.ts'
import { comparePackagist } from '../versions/packagist.ts'
import { comparePep440 } from '../versions/pep440.ts'
import { comparePub } from '../versions/pub.ts'
import { compareRpm } from '../versions/rpm.ts'
import { compareRubygems } from '../versions/rubygems.ts'
import { compareSemver } from '../versions/semver.ts'

export type CompareVersions = (a: string, b: string) => number

/** By the part of an ecosystem's name before the colon. */
const ORDERS: ReadonlyMap<string, CompareVersions> = new Map([
  ['Debian', compareDpkg],
  ['Ubuntu', compareDpkg],
  ['Echo', compareDpkg],
  ['Alpine', compareApk],
  ['Wolfi', compareApk],
  ['Chainguard', compareApk],
  ['MinimOS', compareApk],
  ['AlmaLinux', compareRpm],
  ['Rocky Linux', compareRpm],
  ['Red Hat', compareRpm],
  ['SUSE', compareRpm],
  ['openSUSE', compareRpm],
  ['openEuler', compareRpm],
  ['Mageia', compareRpm],
  ['Azure Linux', compareRpm],
  ['Photon OS', compareRpm],
  ['Amazon Linux', compareRpm],
  ['Oracle Linux', compareRpm],
  ['Fedora', compareRpm],
  ['npm', compareSemver],
  ['crates.io', compareSemver],
  ['Hex', compareSemver],
  ['SwiftURL', compareSemver],
  ['Go', compareGo],
  ['PyPI', comparePep440],
  ['Maven', compareMaven],
  ['RubyGems', compareRubygems],
  ['Packagist', comparePackagist],
  ['NuGet', compareNuget],
  ['Pub', comparePub],
  ['Hackage', compareHackage],
  ['Bitnami', compareBitnami],
])

/** How versions of an ecosystem are ordered; `undefined`: not known, so that its ranges cannot be evaluated. */
export function versionOrderOf(ecosystem: string): CompareVersions | undefined {
  return ORDERS.get(familyOf(ecosystem))
}

/** `Debian` of `Debian:12`. */
export function familyOf(ecosystem: string): string {
  const colon = ecosystem.indexOf(':')
  return colon < 0 ? ecosystem : ecosystem.slice(0, colon)
}

/** Whether it is a distribution's: its long lists of versions say no more than its ranges do. */
export function isDistribution(ecosystem: string): boolean {
  const order = versionOrderOf(ecosystem)
  return order === compareDpkg || order === compareApk || order === compareRpm
}

/**
 * One name for what databases spell in several ways: `Ubuntu:22.04:LTS` → `Ubuntu:22.04`; the repositories of a release of
 * Red Hat, and the products of a service pack of SUSE, are one.
 */
export function canonicalEcosystem(ecosystem: string): string {
  switch (familyOf(ecosystem)) {
    case 'Ubuntu':
      return ecosystem.replace(/:LTS$/, '')
    case 'Red Hat':
      return ecosystem.replace(/::.*$/, '')
    case 'SUSE':
      return ecosystem.replace(/^SUSE:.*?([0-9]+(?: SP[0-9]+)?)(?:-[A-Z-]+)?$/, 'SUSE:$1')
    default:
      return ecosystem
  }
}

/** One spelling of a package's name within its ecosystem. */
export function canonicalName(ecosystem: string, name: string): string {
  switch (familyOf(ecosystem)) {
    case 'PyPI':
      return name.toLowerCase().replace(/[-_.]+/g, '-')
    case 'NuGet':
    case 'Packagist':
      return name.toLowerCase()
    default:
      return name
  }
}

const LANGUAGES: Readonly<Partial<Record<PackageType, string>>> = {
  npm: 'npm',
  pypi: 'PyPI',
  golang: 'Go',
  maven: 'Maven',
  gem: 'RubyGems',
  cargo: 'crates.io',
  composer: 'Packagist',
  nuget: 'NuGet',
  bitnami: 'Bitnami',
}

/** What orders the versions of an operating system's packages. */
const SYSTEM_ORDERS: Readonly<Partial<Record<PackageType, CompareVersions>>> = {
  deb: compareDpkg,
  apk: compareApk,
  rpm: compareRpm,
}

/**
 * The ecosystem in which advisories for a package are to be looked up; `undefined`: none is known for its distribution, or
 * the distribution that the image names has no packages of this type.
 */
export function ecosystemOf(type: PackageType, os: OperatingSystem | undefined): string | undefined {
  const language = LANGUAGES[type]
  if (language !== undefined || os === undefined) return language
  const distribution = distributionOf(os)
  return distribution !== undefined && versionOrderOf(distribution) === SYSTEM_ORDERS[type] ? distribution : undefined
}

type Release = (version: string, os: OperatingSystem) => string | undefined

const major = (family: string) => (version: string) => `${family}:${version.split('.')[0]}`
const whole = (family: string) => (version: string) => `${family}:${version}`

const DISTRIBUTIONS: ReadonlyMap<string, Release> = new Map(
  Object.entries<Release>({
    debian: major('Debian'),
    ubuntu: whole('Ubuntu'),
    alpine: (version) => `Alpine:v${version.split('.').slice(0, 2).join('.')}`,
    almalinux: major('AlmaLinux'),
    rocky: major('Rocky Linux'),
    rhel: major('Red Hat:enterprise_linux'),
    // A rebuild of the release of Red Hat that it is called after. CentOS Stream runs ahead of it, so it is none.
    centos: (version, os) =>
      Number.parseInt(version, 10) <= 8 && !/stream/i.test(os.prettyName ?? '')
        ? major('Red Hat:enterprise_linux')(version)
        : undefined,
    sles: (version) => `SUSE:${version.replace(/\.0$/, '').replace('.', ' SP')}`,
    sled: (version) => `SUSE:${version.replace(/\.0$/, '').replace('.', ' SP')}`,
    'opensuse-leap': (version) => `openSUSE:Leap ${version}`,
    openeuler: (version, { prettyName = '' }) => {
      const edition = /\((.+)\)/.exec(prettyName)?.[1]
      return `openEuler:${version}${edition === undefined ? '' : `-${edition}`}`
    },
    mageia: major('Mageia'),
    azurelinux: major('Azure Linux'),
    mariner: major('Azure Linux'),
    photon: whole('Photon OS'),
    amzn: major('Amazon Linux'),
    ol: major('Oracle Linux'),
    fedora: whole('Fedora'),
  }),
)

/** Distributions that have no releases. */
const ROLLING: ReadonlyMap<string, string> = new Map([
  ['wolfi', 'Wolfi'],
  ['chainguard', 'Chainguard'],
  ['minimos', 'MinimOS'],
  ['opensuse-tumbleweed', 'openSUSE:Tumbleweed'],
  ['echo', 'Echo'],
])

function distributionOf(os: OperatingSystem): string | undefined {
  const rolling = ROLLING.get(os.id)
  if (rolling !== undefined) return rolling
  const version = os.versionId ?? os.release
  if (os.id === 'alpine' && /edge/.test(`${version} ${os.release} ${os.prettyName}`)) return 'Alpine:edge'
  if (version === undefined || !/^[0-9]/.test(version)) return undefined
  return DISTRIBUTIONS.get(os.id)?.(version, os)
}

/** What to look up for a package: under which name, and at which version. */
export interface Lookup {
  readonly ecosystem: string
  readonly name: string
  readonly version: string
}

/** Databases that name packages as they are installed. */
const BINARY_NAMES: ReadonlySet<string> = new Set(['AlmaLinux'])

/** Databases that name packages as they are built. */
const SOURCE_NAMES: ReadonlySet<string> = new Set(['Debian', 'Ubuntu', 'Alpine', 'Echo'])

/**
 * Where advisories for a package are to be found: under the source package's name and version, the installed one's, or
 * both, as the distribution's database has it. Empty: no database is known for it.
 */
export function lookupsOf(found: FoundPackage, os: OperatingSystem | undefined): readonly Lookup[] {
  const ecosystem = ecosystemOf(found.type, os)
  // Nothing is above or below no version, as that of a Go program's main module that was built from a work tree.
  if (ecosystem === undefined || found.version === '') return []
  const family = familyOf(ecosystem)
  const own = { ecosystem, name: canonicalName(ecosystem, found.name), version: found.version }
  if (found.sourceName === undefined || BINARY_NAMES.has(family) || !isDistribution(ecosystem)) return [own]
  const source = { ecosystem, name: found.sourceName, version: found.sourceVersion ?? found.version }
  if (SOURCE_NAMES.has(family)) return [source]
  return source.name === own.name ? [own] : [own, source]
}
