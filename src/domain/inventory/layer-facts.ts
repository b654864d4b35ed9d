import type { FoundPackage } from './package.ts'

/** What a file says of one package; what depends on the image (layer, distribution) is added when layers are merged. */
export interface PackageFacts
  extends Pick<
    FoundPackage,
    'type' | 'name' | 'version' | 'epoch' | 'sourceName' | 'sourceVersion' | 'arch' | 'moduleLabel'
  > {
  readonly licences?: readonly string[] | undefined
  /** Of archives inside archives: the way from the file on, `BOOT-INF/lib/x.jar`. */
  readonly innerPath?: string | undefined
}

/** More than any real file holds; a file that goes on is made to do harm. */
export const MAX_PACKAGES_PER_FILE = 100_000
export const MAX_OWNED_PATHS_PER_FILE = 2_000_000

/** What one file of interest says. */
export interface FileFacts {
  /** The assignments of an os-release file. */
  readonly osRelease?: Readonly<Record<string, string>> | undefined
  /** The first line of a release file such as `etc/debian_version`. */
  readonly release?: string | undefined
  readonly packages?: readonly PackageFacts[] | undefined
  /** Paths that the OS package manager put there, of those that could hold language packages. */
  readonly owned?: readonly string[] | undefined
  /** It is a database of the OS package manager: nothing may be concluded from an image whose database is unreadable. */
  readonly isDatabase?: boolean | undefined
  /** An SBOM, which states packages that nobody found: one that is found as well is not told twice. */
  readonly isSbom?: boolean | undefined
  /** A write-ahead log with transactions of a database beside it that is not in the same layer. */
  readonly isLog?: boolean | undefined
  /** A list of what would be installed, which counts unless this path is there: then something is. */
  readonly unless?: string | undefined
  /** Why it could not be read. */
  readonly unreadable?: string | undefined
  /** What about it could not be read or known, though the rest could. */
  readonly remarks?: readonly string[] | undefined
}

/** A link by path and target: a symbolic one with its text as written, a hard one with a path of the archive. */
export interface LinkFacts {
  readonly path: string
  readonly target: string
  readonly isHard: boolean
}

/**
 * What one layer says, whatever lies below and above it: kept by the layer's digest, and merged with the other layers of
 * an image. Paths have no leading slash, no `.` and no `..`.
 */
export interface LayerFacts {
  readonly files: readonly (readonly [path: string, facts: FileFacts])[]
  /** Paths that the layer takes away from those below. */
  readonly removed: readonly string[]
  /** Directories whose content below the layer hides. */
  readonly opaque: readonly string[]
  readonly links: readonly LinkFacts[]
  /** Programs without anything of interest: one below at the same path is gone. */
  readonly plainPrograms: readonly string[]
}
