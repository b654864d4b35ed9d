import type { PackageFacts } from './layer-facts.ts'
import { isOsPackageType, type PackageType } from './package.ts'

const TYPES: ReadonlySet<string> = new Set<PackageType>([
  'deb',
  'apk',
  'rpm',
  'npm',
  'pypi',
  'golang',
  'maven',
  'gem',
  'cargo',
  'composer',
  'nuget',
  'bitnami',
])

function isPackageType(type: string): type is PackageType {
  return TYPES.has(type)
}

/** The package that a package URL names; `undefined` when it is of no known type, or names no version. */
export function packageOfPurl(purl: string): PackageFacts | undefined {
  if (!purl.startsWith('pkg:')) return undefined
  const [bare = ''] = purl.slice(4).split('#', 1)
  const [before = '', query = ''] = bare.split('?', 2)
  const slash = before.indexOf('/')
  const type = before.slice(0, Math.max(0, slash)).toLowerCase()
  const at = before.lastIndexOf('@')
  if (!isPackageType(type) || at <= slash + 1 || before[at - 1] === '/') return undefined
  const segments = before
    .slice(slash + 1, at)
    .split('/')
    .filter((segment) => segment !== '')
    .map(decoded)
  const version = decoded(before.slice(at + 1))
  const name = nameOf(type, segments)
  if (name === undefined || version === '') return undefined
  const qualifiers = new URLSearchParams(query)
  if (!isOsPackageType(type)) return { type, name, version }
  const epoch = type === 'rpm' && /^\d{1,9}$/.test(qualifiers.get('epoch') ?? '') ? Number(qualifiers.get('epoch')) : 0
  const whole = epoch === 0 ? version : `${epoch}:${version}`
  const [sourceName, sourceVersion] = (qualifiers.get('upstream') ?? qualifiers.get('origin') ?? '').split('@', 2)
  return {
    type,
    name,
    version: whole,
    sourceName: sourceName || name,
    sourceVersion: sourceVersion || whole,
    arch: qualifiers.get('arch') ?? undefined,
  }
}

/** As the ecosystem itself writes it. Of a distribution, the namespace is not part of the name. */
function nameOf(type: PackageType, segments: readonly string[]): string | undefined {
  const last = segments.at(-1)
  if (last === undefined) return undefined
  switch (type) {
    case 'npm':
    case 'golang':
    case 'composer':
      return segments.join('/')
    case 'maven':
      return segments.length === 2 ? segments.join(':') : undefined
    default:
      return last
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
