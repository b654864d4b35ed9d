import type { Digest } from '../digest.ts'
import { databaseUnreadable } from './errors.ts'
import { FileTree } from './file-tree.ts'
import type { FileFacts, LayerFacts, PackageFacts } from './layer-facts.ts'
import { APK_REPOSITORIES, operatingSystemOf, RELEASE_FILES } from './os-release.ts'
import {
  type FoundPackage,
  type Inventory,
  type InventoryNote,
  isOsPackageType,
  type OperatingSystem,
} from './package.ts'
import { baseName, directoryOf } from './paths.ts'
import { purlOf } from './purl.ts'
import { type FileKind, kindOf, LOG_SUFFIX, OS_RELEASE_FILES, osFiles, RPM_DATABASES } from './selection.ts'

/** A layer and what it says. */
export interface AnalysedLayer {
  readonly digest: Digest
  readonly facts: LayerFacts
}

export interface MergedLayers {
  readonly inventory: Inventory
  /**
   * Files that the layers were not asked about and that a file of the operating system is a link to, with what they are
   * to be read as. Layers analysed again with these may say more.
   */
  readonly wanted: ReadonlyMap<string, FileKind>
}

/** A file as the image has it. */
interface ImageFile {
  readonly facts: FileFacts
  readonly layerDigest: Digest
  /** Of its layer, the lowest of which is 0. */
  readonly height: number
  /** The layer of each package in it, by {@link keyOf}. */
  readonly packageLayers: ReadonlyMap<string, Digest>
}

/**
 * The inventory of an image from its layers, the lowest first. Throws `layer-unreadable` when a database of the OS
 * package manager is there and cannot be read.
 */
export function mergeLayers(layers: readonly AnalysedLayer[], analyserVersion: number): MergedLayers {
  const tree = new FileTree<ImageFile>()
  const wanted = new Map<string, FileKind>()
  for (const [height, layer] of layers.entries()) lay(tree, layer, height, wanted)
  for (const [path, kind] of osFiles) {
    const real = tree.canonical(path, true)
    if (real !== undefined && real !== path && kindOf(real) === undefined && tree.file(real) === undefined)
      wanted.set(real, kind)
  }
  const os = osOf(tree)
  return { inventory: { os, ...packagesIn(tree, os), analyserVersion }, wanted }
}

function lay(
  tree: FileTree<ImageFile>,
  { digest, facts }: AnalysedLayer,
  height: number,
  wanted: Map<string, FileKind>,
): void {
  tree.beginLayer()
  for (const path of facts.removed) onCanonical(tree, path, (real) => tree.remove(real))
  for (const path of facts.opaque) onCanonical(tree, path, (real) => tree.clear(real))
  for (const { path, target, isHard } of facts.links)
    if (!isHard) onCanonical(tree, path, (real) => tree.putLink(real, target))
  for (const path of facts.plainPrograms) onCanonical(tree, path, (real) => tree.remove(real))
  const put = (path: string, file: FileFacts) =>
    onCanonical(tree, path, (real) => {
      const before = tree.before(real)?.packageLayers
      const packageLayers = new Map<string, Digest>()
      for (const one of file.packages ?? []) packageLayers.set(keyOf(one), before?.get(keyOf(one)) ?? digest)
      tree.putFile(real, { facts: file, layerDigest: digest, height, packageLayers })
    })
  for (const [path, file] of facts.files) put(path, file)
  for (const { path, target, isHard } of facts.links) {
    if (!isHard) continue
    const linked = tree.file(tree.canonical(target, false) ?? target)
    const kind = osFiles.get(path)
    if (linked !== undefined) put(path, linked.facts)
    else if (kind !== undefined) wanted.set(target, kind)
  }
}

function onCanonical(tree: FileTree<ImageFile>, path: string, work: (real: string) => void): void {
  const real = tree.canonical(path, false)
  if (real !== undefined) work(real)
}

function keyOf({ name, version, arch, innerPath }: PackageFacts): string {
  return [name, version, arch ?? '', innerPath ?? ''].join('\0')
}

function osOf(tree: FileTree<ImageFile>): OperatingSystem | undefined {
  const facts = (path: string) => tree.file(tree.canonical(path, true) ?? path)?.facts
  const releases = new Map<string, string>()
  for (const path of [...RELEASE_FILES.map(([path]) => path), APK_REPOSITORIES]) {
    const release = facts(path)?.release
    if (release !== undefined) releases.set(path, release)
  }
  const osRelease = OS_RELEASE_FILES.map((path) => facts(path)?.osRelease).find((one) => one?.ID !== undefined)
  return operatingSystemOf(osRelease, releases)
}

function packagesIn(
  tree: FileTree<ImageFile>,
  os: OperatingSystem | undefined,
): { readonly packages: readonly FoundPackage[]; readonly notes: readonly InventoryNote[] } {
  const notes: InventoryNote[] = []
  const owned = new Set<string>()
  const packages = new Map<string, FoundPackage>()
  const files = [...tree.files()]
  const ignored = supersededRpm(files)
  for (const [path, { facts, layerDigest, height }] of files) {
    if (ignored.has(path)) continue
    // A log that lies below the database was written into it before.
    const database = facts.isLog === true ? tree.file(path.slice(0, -LOG_SUFFIX.length)) : undefined
    if (database !== undefined && database.height < height)
      throw databaseUnreadable(path, 'the database that it is the log of lies in another layer')
    if (facts.unreadable !== undefined) {
      if (facts.isDatabase) throw databaseUnreadable(path, facts.unreadable)
      notes.push({ layerDigest, path, reason: facts.unreadable })
    }
    for (const one of facts.owned ?? []) owned.add(tree.canonical(one, false) ?? one)
  }
  const stated: FoundPackage[] = []
  for (const [path, { facts, layerDigest, packageLayers }] of files) {
    const isLanguage = facts.isDatabase !== true
    if (ignored.has(path) || (isLanguage && owned.has(path))) continue
    if (facts.unless !== undefined && tree.has(tree.canonical(facts.unless, true) ?? facts.unless)) continue
    for (const reason of facts.remarks ?? []) notes.push({ layerDigest, path, reason })
    for (const one of facts.packages ?? []) {
      const found = complete(one, path, packageLayers.get(keyOf(one)) ?? layerDigest, os)
      if (facts.isSbom === true) stated.push(found)
      else packages.set(placeOf(found), found)
    }
  }
  for (const found of onlyStated(stated, [...packages.values()])) packages.set(placeOf(found), found)
  return { packages: [...packages.values()].sort(inOrder), notes: notes.sort((a, b) => compare(a.path, b.path)) }
}

function placeOf({ type, name, version, arch, filePath }: FoundPackage): string {
  return [type, name, version, arch ?? '', filePath ?? ''].join('\0')
}

/**
 * The packages that only an SBOM has. What the operating system has installed is its own database's to say, where there is
 * one.
 */
function onlyStated(stated: readonly FoundPackage[], found: readonly FoundPackage[]): readonly FoundPackage[] {
  const known = new Set(found.map(versionKey))
  const hasDatabase = found.some(({ type }) => isOsPackageType(type))
  return stated.filter((one) => !known.has(versionKey(one)) && !(hasDatabase && isOsPackageType(one.type)))
}

function versionKey({ type, name, version }: FoundPackage): string {
  const spelt = type === 'pypi' ? name.toLowerCase().replace(/[-_.]+/g, '-') : name
  return [type, spelt, version].join('\0')
}

/** Where rpm's database was moved to another format, the one in the older format beside it says what was installed then. */
function supersededRpm(files: readonly (readonly [string, ImageFile])[]): ReadonlySet<string> {
  const databases = files
    .filter(([path, { facts }]) => facts.isDatabase === true && RPM_DATABASES.includes(baseName(path)))
    .map(([path, { facts }]) => ({ path, facts, rank: RPM_DATABASES.indexOf(baseName(path)) }))
  const superseded = new Set<string>()
  for (const beside of Map.groupBy(databases, ({ path }) => directoryOf(path)).values()) {
    const holding = beside.filter(({ facts }) => facts.unreadable !== undefined || (facts.packages ?? []).length > 0)
    const best = Math.min(...holding.map(({ rank }) => rank))
    for (const { path, rank } of beside) if (rank > best) superseded.add(path)
  }
  return superseded
}

function complete(
  { licences, innerPath, ...facts }: PackageFacts,
  path: string,
  layerDigest: Digest,
  os: OperatingSystem | undefined,
): FoundPackage {
  const isOs = isOsPackageType(facts.type)
  return {
    ...facts,
    ...(isOs ? {} : { filePath: innerPath === undefined ? path : `${path}/${innerPath}` }),
    layerDigest,
    licences: licences ?? [],
    purl: purlOf(facts, isOs ? os : undefined),
  }
}

function inOrder(a: FoundPackage, b: FoundPackage): number {
  return (
    compare(a.type, b.type) ||
    compare(a.name, b.name) ||
    compare(a.version, b.version) ||
    compare(a.filePath ?? a.arch ?? '', b.filePath ?? b.arch ?? '')
  )
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
