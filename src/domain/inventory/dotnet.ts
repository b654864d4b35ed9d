import { MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { MalformedFile, membersOf, parseJson } from './malformed-file.ts'

/** The NuGet packages of a `*.deps.json`: libraries `Name/1.0` of type `package`. */
export function parseDotnetDependencies(bytes: Uint8Array): readonly PackageFacts[] {
  const libraries = Object.entries(membersOf(membersOf(parseJson(bytes)).libraries))
  if (libraries.length > MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
  return libraries.flatMap(([key, library]): readonly PackageFacts[] => {
    const [name, version, ...more] = key.split('/')
    if (String(membersOf(library).type).toLowerCase() !== 'package') return []
    return name && version && more.length === 0 ? [{ type: 'nuget', name, version }] : []
  })
}
