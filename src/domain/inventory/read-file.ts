import { parseApkInstalled } from './apk.ts'
import { parseComposerInstalled, parseComposerLock } from './composer.ts'
import { parseDotnetDependencies } from './dotnet.ts'
import { parseDpkgFiles, parseDpkgStatus } from './dpkg.ts'
import { parseEmbeddedSbom } from './embedded-sbom.ts'
import { parseExecutable } from './executable.ts'
import { goModulesOf } from './go-binary.ts'
import type { Inflater } from './inflater.ts'
import { parseJavaArchive } from './java.ts'
import type { FileFacts } from './layer-facts.ts'
import type { InventoryLimits } from './limits.ts'
import { MalformedFile } from './malformed-file.ts'
import { parsePackageJson, parsePackageLock, parseYarnLock } from './npm.ts'
import { parseApkRepositories, parseOsRelease, parseReleaseFile } from './os-release.ts'
import { directoryOf } from './paths.ts'
import { parsePnpmLock } from './pnpm.ts'
import { parsePythonMetadata } from './python.ts'
import { parseRpmDatabase } from './rpm.ts'
import { parseGemspec } from './ruby.ts'
import { rustCratesOf } from './rust-binary.ts'
import { type FileKind, mayHoldPackages } from './selection.ts'
import { unzip } from './zip-archive.ts'
import { zipEntries } from './zip-directory.ts'

/** What reading a file takes beside its bytes. */
export interface ReadingTools {
  readonly inflater: Inflater
  readonly limits: InventoryLimits
}

/**
 * What a file of a known kind says. A file that cannot be read says why; `undefined`: nothing of interest is in it.
 * Throws `layer-too-large` only. The bytes are not kept.
 */
export function readFile(kind: FileKind, bytes: Uint8Array, path: string, tools: ReadingTools): FileFacts | undefined {
  const isDatabase = isDatabaseKind(kind)
  try {
    return { ...factsIn(kind, bytes, path, tools), ...(isDatabase ? { isDatabase } : {}) }
  } catch (error) {
    if (!(error instanceof MalformedFile)) throw error
    return { unreadable: error.message, ...(isDatabase ? { isDatabase } : {}) }
  }
}

/** Whether files of this kind say what the operating system has installed. */
export function isDatabaseKind(kind: FileKind): boolean {
  return kind === 'dpkg' || kind === 'apk' || kind === 'rpm' || kind === 'rpm-log'
}

/** How much of a file of a kind is read: at most so much of it as a whole, or only its beginning. */
export function sizeOf(
  kind: FileKind,
  limits: InventoryLimits,
): { readonly bytes: number; readonly isBeginningEnough: boolean } {
  switch (kind) {
    case 'os-release':
    case 'release':
    case 'apk-repositories':
    case 'python':
    case 'gem':
      return { bytes: 256 * 1024, isBeginningEnough: true }
    case 'rpm':
    case 'rpm-log':
      return { bytes: limits.databaseBytes, isBeginningEnough: false }
    case 'program':
      return { bytes: limits.programBytes, isBeginningEnough: false }
    case 'java':
    case 'python-egg':
      return { bytes: limits.fileBytes, isBeginningEnough: false }
    default:
      return { bytes: limits.textBytes, isBeginningEnough: false }
  }
}

function factsIn(kind: FileKind, bytes: Uint8Array, path: string, { inflater, limits }: ReadingTools): FileFacts {
  switch (kind) {
    case 'os-release':
      return { osRelease: parseOsRelease(bytes) }
    case 'release':
      return { release: parseReleaseFile(bytes) }
    case 'apk-repositories':
      return { release: parseApkRepositories(bytes) }
    case 'dpkg':
      return { packages: parseDpkgStatus(bytes) }
    case 'dpkg-files':
      return { owned: parseDpkgFiles(bytes, mayHoldPackages) }
    case 'apk': {
      const { packages, paths } = parseApkInstalled(bytes, mayHoldPackages)
      return { packages, owned: paths }
    }
    case 'rpm': {
      const { packages, paths } = parseRpmDatabase(bytes, mayHoldPackages)
      return { packages, owned: paths }
    }
    case 'rpm-log':
      // It says nothing without its database.
      return {}
    case 'npm':
      return { packages: parsePackageJson(bytes) }
    case 'npm-lock':
      return { packages: parsePackageLock(bytes), unless: beside(path, 'node_modules') }
    case 'yarn-lock':
      return { packages: parseYarnLock(bytes), unless: beside(path, 'node_modules') }
    case 'pnpm-lock':
      return { packages: parsePnpmLock(bytes), unless: beside(path, 'node_modules') }
    case 'python':
      return { packages: parsePythonMetadata(bytes) }
    case 'python-egg':
      return { packages: eggPackages(bytes, inflater) }
    case 'java':
      return parseJavaArchive(bytes, path, inflater, limits.fileBytes)
    case 'gem':
      return { packages: parseGemspec(bytes, path) }
    case 'composer':
      return { packages: parseComposerInstalled(bytes) }
    case 'composer-lock':
      return { packages: parseComposerLock(bytes), unless: beside(path, 'vendor/composer/installed.json') }
    case 'dotnet':
      return { packages: parseDotnetDependencies(bytes) }
    case 'sbom': {
      const packages = parseEmbeddedSbom(bytes)
      return packages === undefined ? {} : { packages, isSbom: true }
    }
    case 'program': {
      const executable = parseExecutable(bytes)
      const packages =
        goModulesOf(executable) ?? rustCratesOf(executable, (packed) => inflater.zlib(packed, limits.textBytes))
      return { packages: packages ?? [] }
    }
  }
}

function beside(path: string, name: string): string {
  const directory = directoryOf(path)
  return directory === '' ? name : `${directory}/${name}`
}

function eggPackages(bytes: Uint8Array, inflater: Inflater): ReturnType<typeof parsePythonMetadata> {
  for (const entry of zipEntries(bytes))
    if (entry.name === 'EGG-INFO/PKG-INFO') return parsePythonMetadata(unzip(bytes, entry, inflater, 4 * 1024 * 1024))
  return []
}
