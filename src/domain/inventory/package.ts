import type { Digest } from '../digest.ts'

/** The package ecosystems that an inventory knows: three of operating systems, those of languages, and Bitnami's components. */
export type PackageType =
  | 'deb'
  | 'apk'
  | 'rpm'
  | 'npm'
  | 'pypi'
  | 'golang'
  | 'maven'
  | 'gem'
  | 'cargo'
  | 'composer'
  | 'nuget'
  | 'bitnami'

const OS_TYPES: ReadonlySet<PackageType> = new Set<PackageType>(['deb', 'apk', 'rpm'])

/** Whether packages of this type are installed by the package manager of the operating system. */
export function isOsPackageType(type: PackageType): boolean {
  return OS_TYPES.has(type)
}

/** One package that an image holds, as its own ecosystem calls it. */
export interface FoundPackage {
  readonly type: PackageType
  /** As the ecosystem spells it: `@scope/name` of npm, `group:artifact` of Maven, the module path of Go. */
  readonly name: string
  /**
   * The whole version in the ecosystem's own text, epoch and release included: `1:3.0.7-6.el9_2`, `v1.4.0`, `1.2.3`.
   * Empty where the package has none that could be compared, as the main module of a Go program built from a work tree.
   */
  readonly version: string
  /** The epoch apart (it is in `version` too), for `deb` and `rpm` where one is stated. */
  readonly epoch?: number | undefined
  /** Of OS packages: the source package that this one was built from. Its own name where nothing else is stated. */
  readonly sourceName?: string | undefined
  /** The version of the source package, in the same form as `version`. */
  readonly sourceVersion?: string | undefined
  /** As the package manager calls it: `amd64`, `x86_64`, `noarch`. */
  readonly arch?: string | undefined
  /** Of `rpm`: the module stream that the package belongs to, `name:stream:version:context`. */
  readonly moduleLabel?: string | undefined
  /**
   * The file that says so, without a leading slash: `app/node_modules/qs/package.json`, `opt/app.jar/BOOT-INF/lib/x.jar`.
   * Absent for packages of a package manager's database.
   */
  readonly filePath?: string | undefined
  /** The layer that brought the package as it is now. */
  readonly layerDigest: Digest
  /** What the package states of its licences, as stated; empty when it states nothing. */
  readonly licences: readonly string[]
  /** The package URL. */
  readonly purl: string
}

/** The operating system of an image, by its own os-release and release files. */
export interface OperatingSystem {
  /** The ID of os-release, lower case: `debian`, `alpine`, `rhel`, `amzn`, `sles`, `opensuse-leap`, `wolfi`, `azurelinux`. */
  readonly id: string
  /** ID_LIKE, the nearest first. */
  readonly idLike: readonly string[]
  /** VERSION_ID as stated: `12`, `3.10.4`, `9.2`, `2023`. */
  readonly versionId?: string | undefined
  /** The finer release of a release file where there is one: Debian's `12.0`, CentOS' `7.6.1810`; else the VERSION_ID. */
  readonly release?: string | undefined
  /** `bookworm`, `jammy`. */
  readonly codename?: string | undefined
  readonly prettyName?: string | undefined
  /** VARIANT_ID. */
  readonly variant?: string | undefined
}

/** Something in the image that ought to have been read and could not be, so that packages may be missing. */
export interface InventoryNote {
  readonly layerDigest: Digest
  readonly path: string
  /** One sentence for people. */
  readonly reason: string
}

/** What is in an image. */
export interface Inventory {
  /** Absent when no layer says it. */
  readonly os: OperatingSystem | undefined
  /** In the order of type, name, version, path. */
  readonly packages: readonly FoundPackage[]
  /** Counts up with every change of what an analysis finds; results of another version are not used again. */
  readonly analyserVersion: number
  /** What could not be read. Empty: everything known was read. */
  readonly notes: readonly InventoryNote[]
}
