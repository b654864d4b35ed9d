import { MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { linesOf } from './lines.ts'
import { MalformedFile, membersOf, parseJson, wordOf } from './malformed-file.ts'

/** The package that a `package.json` describes; none when it has no name or no version. */
export function parsePackageJson(bytes: Uint8Array): readonly PackageFacts[] {
  const members = membersOf(parseJson(bytes))
  const name = wordOf(members.name)
  const version = wordOf(members.version)
  if (name === undefined || version === undefined) return []
  return [{ type: 'npm', name, version, licences: licencesOf(members.license ?? members.licenses) }]
}

function licencesOf(stated: unknown): readonly string[] | undefined {
  const list = (Array.isArray(stated) ? stated : [stated])
    .map((one) => wordOf(one) ?? wordOf(membersOf(one).type) ?? wordOf(membersOf(one).name))
    .filter((one) => one !== undefined)
  return list.length === 0 ? undefined : list
}

/** Whether a `package.json` at this path is that of a package and not one of the many that lie inside of packages. */
export function isPackageRoot(path: string): boolean {
  if (!path.includes('node_modules/')) return true
  return /(^|\/)node_modules\/(@[^/]+\/)?[^/@][^/]*\/package\.json$/.test(path)
}

/**
 * What a `package-lock.json` or `npm-shrinkwrap.json` would install, in any of its three versions, without what only
 * development needs. It counts only where nothing is installed: see the merge of layers.
 */
export function parsePackageLock(bytes: Uint8Array): readonly PackageFacts[] {
  const members = membersOf(parseJson(bytes))
  const found = new Map<string, PackageFacts>()
  const add = (name: string, entry: Readonly<Record<string, unknown>>) => {
    const version = wordOf(entry.version)
    if (entry.dev === true || entry.link === true || name === '' || version === undefined) return
    if (!/^\d/.test(version)) return
    if (found.size >= MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
    found.set(`${name}@${version}`, { type: 'npm', name, version })
  }
  if (members.packages !== undefined) {
    for (const [place, entry] of Object.entries(membersOf(members.packages))) {
      const stated = membersOf(entry)
      const after = place.lastIndexOf('node_modules/')
      if (after >= 0) add(wordOf(stated.name) ?? place.slice(after + 'node_modules/'.length), stated)
    }
    return [...found.values()]
  }
  const open: Readonly<Record<string, unknown>>[] = [membersOf(members.dependencies)]
  for (let dependencies = open.pop(); dependencies !== undefined; dependencies = open.pop())
    for (const [name, entry] of Object.entries(dependencies)) {
      const stated = membersOf(entry)
      add(name, stated)
      if (stated.dependencies !== undefined) open.push(membersOf(stated.dependencies))
    }
  return [...found.values()]
}

/** What a `yarn.lock` would install, in the form of Yarn 1 and in that of Yarn 2 and later. Development is not told apart in it. */
export function parseYarnLock(bytes: Uint8Array): readonly PackageFacts[] {
  const found = new Map<string, PackageFacts>()
  let name: string | undefined
  for (const line of linesOf(bytes)) {
    if (/^\S/.test(line)) name = /^"?((?:@[^/@"\s]+\/)?[^@"\s#]+)@(?!workspace:|link:|portal:)/.exec(line)?.[1]
    const [, version] = /^ {2}version:? "?(\d[^"\s]*)"?\s*$/.exec(line) ?? []
    if (name === undefined || version === undefined) continue
    if (found.size >= MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
    found.set(`${name}@${version}`, { type: 'npm', name, version })
    name = undefined
  }
  return [...found.values()]
}
