import { type Executable, sectionOf } from './executable.ts'
import { MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { MalformedFile, membersOf, parseJson, wordOf } from './malformed-file.ts'

/**
 * The crates that `cargo auditable` wrote into a program (section `.dep-v0`, zlib and JSON); `undefined` when it has none.
 * Crates that only took part in the build are left out.
 */
export function rustCratesOf(
  executable: Executable,
  inflate: (compressed: Uint8Array) => Uint8Array,
): readonly PackageFacts[] | undefined {
  const section = sectionOf(executable, '.dep-v0', 'rust-deps-v0')
  if (section === undefined) return undefined
  const list = membersOf(parseJson(inflate(section))).packages
  if (!Array.isArray(list)) throw new MalformedFile('its list of crates is broken')
  if (list.length > MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
  return list.flatMap((entry: unknown): readonly PackageFacts[] => {
    const { name, version, kind } = membersOf(entry)
    const crate = wordOf(name)
    const release = wordOf(version)
    return crate === undefined || release === undefined || kind === 'build'
      ? []
      : [{ type: 'cargo', name: crate, version: release }]
  })
}
