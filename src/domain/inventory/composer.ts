import { MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { MalformedFile, membersOf, parseJson, wordOf } from './malformed-file.ts'

/** What Composer has installed: `vendor/composer/installed.json`, a list (Composer 1) or an object with one (2). */
export function parseComposerInstalled(bytes: Uint8Array): readonly PackageFacts[] {
  const content = parseJson(bytes)
  return packagesIn(Array.isArray(content) ? content : membersOf(content).packages)
}

/** What a `composer.lock` would install, development left out. It counts only where nothing is installed beside it. */
export function parseComposerLock(bytes: Uint8Array): readonly PackageFacts[] {
  return packagesIn(membersOf(parseJson(bytes)).packages)
}

function packagesIn(list: unknown): readonly PackageFacts[] {
  if (!Array.isArray(list)) return []
  if (list.length > MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
  return list.flatMap((entry: unknown): readonly PackageFacts[] => {
    const members = membersOf(entry)
    const name = wordOf(members.name)
    const version = wordOf(members.version)
    if (name === undefined || version === undefined) return []
    const licences = (Array.isArray(members.license) ? members.license : [members.license])
      .map(wordOf)
      .filter((one) => one !== undefined)
    return [{ type: 'composer', name, version, licences: licences.length === 0 ? undefined : licences }]
  })
}
