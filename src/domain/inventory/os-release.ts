import { textOf } from './malformed-file.ts'
import type { OperatingSystem } from './package.ts'

/** Reads the assignments of an os-release file, https://www.freedesktop.org/software/systemd/man/os-release.html. */
export function parseOsRelease(bytes: Uint8Array): Readonly<Record<string, string>> {
  const values: Record<string, string> = {}
  for (const line of textOf(bytes.subarray(0, 64 * 1024)).split('\n')) {
    const [, key, raw] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(line.trim()) ?? []
    if (key !== undefined && raw !== undefined) values[key] = unquoted(raw)
  }
  return values
}

function unquoted(raw: string): string {
  const quote = raw[0]
  if ((quote === '"' || quote === "'") && raw.length > 1 && raw.endsWith(quote)) {
    const inner = raw.slice(1, -1)
    return quote === "'" ? inner : inner.replace(/\\(["$`\\])/g, '$1')
  }
  return raw
}

/** The first line with text in it. */
export function parseReleaseFile(bytes: Uint8Array): string {
  return (
    textOf(bytes.subarray(0, 4 * 1024))
      .trim()
      .split('\n')[0]
      ?.trim() ?? ''
  )
}

/** Release files by path, most telling first, and the distribution that each one means when there is no os-release. */
export const RELEASE_FILES: readonly (readonly [path: string, id: string | undefined])[] = [
  ['etc/alpine-release', 'alpine'],
  ['etc/almalinux-release', 'almalinux'],
  ['etc/rocky-release', 'rocky'],
  ['etc/oracle-release', 'ol'],
  ['etc/fedora-release', 'fedora'],
  ['etc/centos-release', 'centos'],
  ['etc/redhat-release', 'rhel'],
  ['etc/system-release', undefined],
  ['etc/debian_version', 'debian'],
]

/** Where Alpine's packages come from: of its unfinished release, nothing else says it in all versions. */
export const APK_REPOSITORIES = 'etc/apk/repositories'

/** `edge` when all of these repositories are of it; else empty: the release files say the release. */
export function parseApkRepositories(bytes: Uint8Array): string {
  const lines = textOf(bytes.subarray(0, 64 * 1024)).split('\n')
  const repositories = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'))
  const isEdge = repositories.length > 0 && repositories.every((line) => /\/edge(\/|$)/.test(line))
  return isEdge ? 'edge' : ''
}

const NAMED: readonly (readonly [RegExp, string])[] = [
  [/^CentOS/i, 'centos'],
  [/^Red Hat/i, 'rhel'],
  [/^Rocky/i, 'rocky'],
  [/^AlmaLinux/i, 'almalinux'],
  [/^Oracle/i, 'ol'],
  [/^Fedora/i, 'fedora'],
  [/^Amazon/i, 'amzn'],
]

/**
 * The operating system from an os-release file and the release files that lie beside it (text by path).
 * `undefined` when neither says any.
 */
export function operatingSystemOf(
  osRelease: Readonly<Record<string, string>> | undefined,
  releases: ReadonlyMap<string, string>,
): OperatingSystem | undefined {
  const os = statedSystem(osRelease, releases)
  return os?.id === 'alpine' && releases.get(APK_REPOSITORIES) === 'edge' ? { ...os, release: 'edge' } : os
}

function statedSystem(
  osRelease: Readonly<Record<string, string>> | undefined,
  releases: ReadonlyMap<string, string>,
): OperatingSystem | undefined {
  const id = osRelease?.ID?.toLowerCase()
  if (osRelease === undefined || id === undefined || id === '') return fromReleaseFiles(releases)
  const versionId = nonEmpty(osRelease.VERSION_ID)
  return {
    id,
    idLike: (osRelease.ID_LIKE ?? '').toLowerCase().split(/\s+/).filter(Boolean),
    versionId,
    release: finerRelease(id, versionId, releases) ?? versionId,
    codename: nonEmpty(osRelease.VERSION_CODENAME),
    prettyName: nonEmpty(osRelease.PRETTY_NAME),
    variant: nonEmpty(osRelease.VARIANT_ID),
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text
}

/** The number in the release file of that distribution, if it goes on where VERSION_ID ends. */
function finerRelease(
  id: string,
  versionId: string | undefined,
  releases: ReadonlyMap<string, string>,
): string | undefined {
  for (const [path, of] of RELEASE_FILES) {
    if (of !== id) continue
    const number = versionIn(releases.get(path) ?? '')
    if (number !== undefined && (versionId === undefined || number === versionId || number.startsWith(`${versionId}.`)))
      return number
  }
  return undefined
}

function versionIn(text: string): string | undefined {
  return /(?:^|\s)(\d+(?:[._][0-9a-z]+)*)/i.exec(text)?.[1]
}

function fromReleaseFiles(releases: ReadonlyMap<string, string>): OperatingSystem | undefined {
  for (const [path, of] of RELEASE_FILES) {
    const text = releases.get(path)
    if (text === undefined || text === '') continue
    const id = NAMED.find(([pattern]) => pattern.test(text))?.[1] ?? of
    if (id === undefined) continue
    const release = versionIn(text)
    const versionId = id === 'debian' || id === 'centos' ? release?.split('.')[0] : release
    return { id, idLike: [], versionId, release, codename: undefined, prettyName: text, variant: undefined }
  }
  return undefined
}
