import type { FoundPackage, OperatingSystem } from './package.ts'

/** What a package URL is made of. */
export type PurlFacts = Pick<FoundPackage, 'type' | 'name' | 'version' | 'epoch' | 'arch' | 'sourceName'>

/**
 * The package URL of a package, after the purl specification: https://github.com/package-url/purl-spec.
 * `os` names the distribution of OS packages; without one their namespace is left out.
 */
export function purlOf(found: PurlFacts, os?: OperatingSystem): string {
  const { namespace, name, version, qualifiers } = parts(found, os)
  const path = namespace.map((segment) => `${encode(segment)}/`).join('')
  const query = qualifiers
    .filter((pair): pair is [string, string] => pair[1] !== undefined && pair[1] !== '')
    .map(([key, value]) => `${key}=${encode(value)}`)
    .join('&')
  const at = version === '' ? '' : `@${encode(version)}`
  return `pkg:${found.type}/${path}${encode(name)}${at}${query === '' ? '' : `?${query}`}`
}

interface Parts {
  readonly namespace: readonly string[]
  readonly name: string
  readonly version: string
  /** In alphabetic order, as the specification sorts them. */
  readonly qualifiers: readonly (readonly [string, string | undefined])[]
}

function parts({ type, name, version, epoch, arch }: PurlFacts, os: OperatingSystem | undefined): Parts {
  switch (type) {
    case 'deb':
    case 'apk':
      return { ...ofDistribution(name, os), version, qualifiers: [['arch', arch], distro(os)] }
    case 'rpm':
      return {
        ...ofDistribution(name, os),
        version: epoch === undefined ? version : version.replace(/^\d+:/, ''),
        qualifiers: [['arch', arch], distro(os), ['epoch', epoch?.toString()]],
      }
    case 'npm':
      return split(name.toLowerCase(), version)
    case 'golang':
      return split(name, version)
    case 'composer':
      return split(name.toLowerCase(), version)
    case 'maven': {
      const colon = name.indexOf(':')
      const namespace = colon < 0 ? [] : [name.slice(0, colon)]
      return { namespace, name: name.slice(colon + 1), version, qualifiers: [] }
    }
    case 'pypi':
      return { namespace: [], name: name.toLowerCase().replaceAll('_', '-'), version, qualifiers: [] }
    default:
      return { namespace: [], name, version, qualifiers: [] }
  }
}

function ofDistribution(name: string, os: OperatingSystem | undefined): Pick<Parts, 'namespace' | 'name'> {
  return { namespace: os === undefined ? [] : [os.id], name }
}

function distro(os: OperatingSystem | undefined): readonly [string, string | undefined] {
  const release = os?.release ?? os?.versionId
  return ['distro', os && (release === undefined ? os.id : `${os.id}-${release}`)]
}

/** `a/b/c` → namespace `a/b`, name `c`. */
function split(path: string, version: string): Parts {
  const segments = path.split('/').filter((segment) => segment !== '')
  return { namespace: segments.slice(0, -1), name: segments.at(-1) ?? path, version, qualifiers: [] }
}

/** Percent-encodes all but letters, digits, `.-_~` and the colon, which the specification leaves as they are. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%3A', ':')
}
