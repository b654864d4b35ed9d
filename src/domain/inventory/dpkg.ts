import { MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { addOwned, linesOf } from './lines.ts'
import { MalformedFile } from './malformed-file.ts'

/**
 * The installed packages of a dpkg status file, or of one file of a distroless image's `status.d`, whose stanzas have no
 * Status. A package that is removed and has left its configuration behind is not installed.
 */
export function parseDpkgStatus(bytes: Uint8Array): readonly PackageFacts[] {
  const packages: PackageFacts[] = []
  for (const stanza of stanzasOf(bytes)) {
    const status = stanza.get('status')
    if (status !== undefined && status.split(/\s+/)[2] !== 'installed') continue
    const name = stanza.get('package')
    const version = stanza.get('version')
    if (!name || !version) continue
    if (packages.length >= MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
    const [, sourceName, sourceVersion] = /^(\S+)(?:\s+\((.+)\))?$/.exec(stanza.get('source') ?? '') ?? []
    packages.push({
      type: 'deb',
      name,
      version,
      epoch: epochOf(version),
      sourceName: sourceName ?? name,
      sourceVersion: sourceVersion ?? version,
      arch: stanza.get('architecture'),
    })
  }
  return packages
}

const FIELDS: ReadonlySet<string> = new Set(['package', 'status', 'version', 'source', 'architecture'])

/** The fields that count, by name in small letters; every stanza ends with an empty line. */
function* stanzasOf(bytes: Uint8Array): Generator<ReadonlyMap<string, string>> {
  let stanza = new Map<string, string>()
  for (const line of linesOf(bytes)) {
    if (line.trim() === '') {
      if (stanza.size > 0) yield stanza
      stanza = new Map()
      continue
    }
    if (line[0] === ' ' || line[0] === '\t') continue
    const colon = line.indexOf(':')
    const field = line.slice(0, colon).toLowerCase()
    if (colon > 0 && FIELDS.has(field)) stanza.set(field, line.slice(colon + 1).trim())
  }
  if (stanza.size > 0) yield stanza
}

function epochOf(version: string): number | undefined {
  const [, epoch] = /^(\d{1,9}):/.exec(version) ?? []
  return epoch === undefined ? undefined : Number(epoch)
}

/**
 * The files of a package that `isWanted`, from `info/<name>.list` (paths) or `*.md5sums` (sum and path).
 */
export function parseDpkgFiles(bytes: Uint8Array, isWanted: (path: string) => boolean): readonly string[] {
  const paths: string[] = []
  for (const line of linesOf(bytes)) {
    const path = line.replace(/^[0-9a-f]{32} [ *]/, '').replace(/^\.?\/+/, '')
    if (path !== '' && path !== '.' && isWanted(path)) addOwned(paths, path)
  }
  return paths
}
