import { isJavaArchive } from './java.ts'
import { isPackageRoot } from './npm.ts'
import { APK_REPOSITORIES, RELEASE_FILES } from './os-release.ts'
import { baseName } from './paths.ts'

/** What a file is read as. `program`: only what its first bytes show to be one is read on. */
export type FileKind =
  | 'os-release'
  | 'release'
  | 'apk-repositories'
  | 'dpkg'
  | 'dpkg-files'
  | 'apk'
  | 'rpm'
  | 'rpm-log'
  | 'npm'
  | 'npm-lock'
  | 'yarn-lock'
  | 'pnpm-lock'
  | 'python'
  | 'python-egg'
  | 'java'
  | 'gem'
  | 'composer'
  | 'composer-lock'
  | 'dotnet'
  | 'sbom'
  | 'program'

/** The files that say which packages the operating system has, in the order in which one is believed before the next. */
export const RPM_DATABASES: readonly string[] = ['rpmdb.sqlite', 'Packages.db', 'Packages']
const RPM_DIRECTORIES: readonly string[] = ['var/lib/rpm', 'usr/lib/sysimage/rpm', 'usr/share/rpm']

/** What SQLite calls the write-ahead log of a database, behind the database's own name. */
export const LOG_SUFFIX = '-wal'

export const OS_RELEASE_FILES: readonly string[] = ['etc/os-release', 'usr/lib/os-release']

const OS_FILES: ReadonlyMap<string, FileKind> = new Map<string, FileKind>([
  ...OS_RELEASE_FILES.map((path) => [path, 'os-release'] as const),
  ...RELEASE_FILES.map(([path]) => [path, 'release'] as const),
  ['var/lib/dpkg/status', 'dpkg'],
  ['lib/apk/db/installed', 'apk'],
  ['usr/lib/apk/db/installed', 'apk'],
  [APK_REPOSITORIES, 'apk-repositories'],
  ...RPM_DIRECTORIES.map((directory) => [`${directory}/rpmdb.sqlite${LOG_SUFFIX}`, 'rpm-log'] as const),
  ...RPM_DIRECTORIES.flatMap((directory) => RPM_DATABASES.map((name) => [`${directory}/${name}`, 'rpm'] as const)),
])

/** Every file of the operating system by path: where one is a link, the file it leads to is read in its place. */
export const osFiles: ReadonlyMap<string, FileKind> = OS_FILES

/** What the file at a path is read as, `undefined` when nothing in it is of interest. */
export function kindOf(path: string): FileKind | undefined {
  const ofSystem = OS_FILES.get(path)
  if (ofSystem !== undefined) return ofSystem
  if (path.startsWith('var/lib/dpkg/')) {
    if (/^var\/lib\/dpkg\/info\/[^/]+\.list$/.test(path)) return 'dpkg-files'
    if (/^var\/lib\/dpkg\/status\.d\/[^/]+$/.test(path)) return path.endsWith('.md5sums') ? 'dpkg-files' : 'dpkg'
    return undefined
  }
  return kindOfLanguage(path)
}

function kindOfLanguage(path: string): FileKind | undefined {
  const name = baseName(path)
  switch (name) {
    case 'package.json':
      return isPackageRoot(path) ? 'npm' : undefined
    case 'package-lock.json':
    case 'npm-shrinkwrap.json':
      return path.includes('node_modules/') ? undefined : 'npm-lock'
    case 'yarn.lock':
      return path.includes('node_modules/') ? undefined : 'yarn-lock'
    case 'pnpm-lock.yaml':
      return path.includes('node_modules/') ? undefined : 'pnpm-lock'
    case 'METADATA':
      return path.endsWith('.dist-info/METADATA') ? 'python' : undefined
    case 'PKG-INFO':
      return /(\.egg-info|EGG-INFO)\/PKG-INFO$/.test(path) ? 'python' : undefined
    case 'installed.json':
      return /(^|\/)composer\/installed\.json$/.test(path) ? 'composer' : undefined
    case 'composer.lock':
      return /(^|\/)vendor\//.test(path) ? undefined : 'composer-lock'
  }
  const dot = name.lastIndexOf('.')
  if (dot < 0) return undefined
  switch (name.slice(dot)) {
    case '.egg-info':
      return 'python'
    case '.egg':
      return 'python-egg'
    case '.gemspec':
      return /(^|\/)specifications\/(default\/)?[^/]+\.gemspec$/.test(path) ? 'gem' : undefined
    case '.json':
      return name.endsWith('.deps.json') ? 'dotnet' : /\.(spdx|cdx)\.json$/.test(name) ? 'sbom' : undefined
    case '.spdx':
    case '.cdx':
      return 'sbom'
  }
  return isJavaArchive(name) ? 'java' : undefined
}

const NO_PROGRAMS =
  /^(?:usr\/share\/(?:doc|man|locale|info|zoneinfo|licenses|common-licenses|lintian|bash-completion|i18n|terminfo|perl5?|mime|X11|fonts|icons|gtk-doc|help|gnome|vim|keyrings)|usr\/include|usr\/src|etc)\//

/** Whether a file that the OS package manager put there could hold packages of a language, so that it has to be known. */
export function mayHoldPackages(path: string): boolean {
  if (kindOfLanguage(path) !== undefined) return true
  if (NO_PROGRAMS.test(path)) return false
  const name = baseName(path)
  const dot = name.lastIndexOf('.')
  return dot <= 0 || /^\.(exe|bin|so|\d+)$/.test(name.slice(dot))
}
