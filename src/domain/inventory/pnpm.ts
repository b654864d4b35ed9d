import { MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { linesOf } from './lines.ts'
import { MalformedFile } from './malformed-file.ts'

/** One document of a `pnpm-lock.yaml`, as far as it says what would be installed. */
interface LockDocument {
  /** By key. */
  readonly packages: Map<string, StatedPackage>
  /** What each package needs, by key; only since version 9, which says in no other way what development alone needs. */
  readonly needs: Map<string, string[]>
  /** Keys that the projects need when they run. */
  readonly roots: string[]
  hasImporters: boolean
  /** Of the lock file: 5.4, 6, 9; absent where it is none. */
  formatVersion: number
}

interface StatedPackage {
  name?: string
  version?: string
  isDevelopment?: boolean
}

/**
 * What a `pnpm-lock.yaml` would install, in the forms of pnpm 5 to 9, without what only development needs. pnpm writes it
 * in one fixed layout of YAML: it is read by that, line by line. It counts only where nothing is installed beside it.
 * Throws {@link MalformedFile} for what is none.
 */
export function parsePnpmLock(bytes: Uint8Array): readonly PackageFacts[] {
  const found = new Map<string, PackageFacts>()
  for (const document of documentsOf(bytes)) {
    const wanted = document.hasImporters && document.needs.size > 0 ? neededBy(document) : undefined
    for (const [key, stated] of document.packages) {
      if (stated.isDevelopment === true || (wanted !== undefined && !wanted.has(key))) continue
      const { name, version } =
        stated.name === undefined ? { ...namedBy(key, document.formatVersion), ...stated } : stated
      if (name === undefined || version === undefined || !/^\d/.test(version)) continue
      if (found.size >= MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
      found.set(`${name}@${version}`, { type: 'npm', name, version })
    }
  }
  return [...found.values()]
}

function documentsOf(bytes: Uint8Array): readonly LockDocument[] {
  const documents: LockDocument[] = []
  let document: LockDocument | undefined
  let places: string[] = []
  for (const raw of linesOf(bytes)) {
    const line = raw.trimEnd()
    if (line === '---') document = undefined
    const indent = line.length - line.trimStart().length
    if (line === '' || line === '---' || line[indent] === '#' || line[indent] === '-') continue
    const [key, value] = memberIn(line.slice(indent))
    if (key === undefined) continue
    if (document === undefined) {
      document = { packages: new Map(), needs: new Map(), roots: [], hasImporters: false, formatVersion: 0 }
      documents.push(document)
    }
    places = [...places.slice(0, indent >> 1), key]
    if (indent === 0 && key === 'lockfileVersion') document.formatVersion = Number.parseFloat(value) || 0
    takeMember(document, places, value)
  }
  if (!documents.some(({ formatVersion }) => formatVersion > 0)) throw new MalformedFile('it is no lock file of pnpm')
  return documents
}

function takeMember(document: LockDocument, places: readonly string[], value: string): void {
  const [section, key, member, dependency, detail] = places
  if (section === 'importers') {
    document.hasImporters = true
    const isRun = member === 'dependencies' || member === 'optionalDependencies'
    if (isRun && dependency !== undefined && detail === 'version') document.roots.push(keyOf(dependency, value))
  } else if (key === undefined) return
  else if (section === 'packages') {
    const stated = document.packages.get(key) ?? {}
    if (document.packages.size >= MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
    document.packages.set(key, stated)
    if (places.length !== 3) return
    if (member === 'name') stated.name = value
    else if (member === 'version') stated.version = value
    else if (member === 'dev') stated.isDevelopment = value === 'true'
  } else if (section === 'snapshots') {
    const needs = document.needs.get(key) ?? []
    document.needs.set(key, needs)
    const isNeed = member === 'dependencies' || member === 'optionalDependencies'
    if (isNeed && dependency !== undefined && places.length === 4) needs.push(keyOf(dependency, value))
  }
}

/** `key: value`, either of them quoted or not. Values that are objects in one line are of no interest. */
function memberIn(text: string): readonly [key: string | undefined, value: string] {
  const quote = text[0]
  if (quote === "'" || quote === '"') {
    const end = text.indexOf(`${quote}:`, 1)
    return end < 0 ? [undefined, ''] : [text.slice(1, end), unquoted(text.slice(end + 2).trim())]
  }
  const bare = text.endsWith(' {}') ? text.slice(0, -3) : text
  if (bare.endsWith(':')) return [bare.slice(0, -1), '']
  const colon = text.indexOf(': ')
  return colon < 0 ? [undefined, ''] : [text.slice(0, colon), unquoted(text.slice(colon + 2).trim())]
}

function unquoted(value: string): string {
  const quote = value[0]
  return (quote === "'" || quote === '"') && value.length > 1 && value.endsWith(quote) ? value.slice(1, -1) : value
}

/** How a dependency is called among the snapshots: under another name of its own it is stated with that. */
function keyOf(name: string, version: string): string {
  return /^@?[^@:/(]+(\/[^@:/(]+)?@/.test(version) ? version : `${name}@${version}`
}

/** The keys of packages that are reached from what the projects need when they run. */
function neededBy({ needs, roots }: LockDocument): ReadonlySet<string> {
  const reached = new Set<string>()
  const open = [...roots]
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (reached.has(key)) continue
    reached.add(key)
    open.push(...(needs.get(key) ?? []))
  }
  return new Set([...reached].map(withoutPeers))
}

/** `debug@4.3.4(supports-color@8.1.1)` → `debug@4.3.4` */
function withoutPeers(key: string): string {
  const peers = key.indexOf('(')
  return peers < 0 ? key : key.slice(0, peers)
}

/** `/@babel/core/7.21.0_x` (5), `/@babel/core@7.21.0(x)` (6), `@babel/core@7.21.0` (9); before 9, perhaps behind a registry. */
function namedBy(key: string, formatVersion: number): StatedPackage {
  const path = formatVersion < 9 ? key.slice(key.indexOf('/') + 1) : key
  const separator = formatVersion < 6 ? '/' : '@'
  const at = path.indexOf(separator, path.startsWith('@') ? path.indexOf('/') + 1 : 0)
  if (at <= 0) return {}
  const version = path.slice(at + 1).split(/[_(]/, 1)[0]
  return version === undefined ? {} : { name: path.slice(0, at), version }
}
