import { MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { addOwned, linesOf } from './lines.ts'
import { MalformedFile } from './malformed-file.ts'

/** What apk has installed, and those of its files that `isWanted`. */
export interface ApkDatabase {
  readonly packages: readonly PackageFacts[]
  readonly paths: readonly string[]
}

/** Reads `lib/apk/db/installed`: one letter, a colon and a value per line, an empty line after each package. */
export function parseApkInstalled(bytes: Uint8Array, isWanted: (path: string) => boolean): ApkDatabase {
  const packages: PackageFacts[] = []
  const paths: string[] = []
  let fields = new Map<string, string>()
  let directory = ''
  const finish = () => {
    const name = fields.get('P')
    const version = fields.get('V')
    if (packages.length > MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
    if (name && version)
      packages.push({
        type: 'apk',
        name,
        version,
        sourceName: fields.get('o') || name,
        sourceVersion: version,
        arch: fields.get('A'),
        licences: licencesOf(fields.get('L')),
      })
    fields = new Map()
    directory = ''
  }
  for (const line of linesOf(bytes)) {
    if (line.trim() === '') finish()
    if (line[1] !== ':') continue
    const value = line.slice(2).trim()
    switch (line[0]) {
      case 'F':
        directory = value
        break
      case 'R': {
        const path = directory === '' ? value : `${directory}/${value}`
        if (isWanted(path)) addOwned(paths, path)
        break
      }
      case 'P':
      case 'V':
      case 'o':
      case 'A':
      case 'L':
        fields.set(line[0], value)
        break
    }
  }
  finish()
  return { packages, paths }
}

function licencesOf(expression: string | undefined): readonly string[] | undefined {
  return expression === undefined || expression === '' ? undefined : [expression]
}
