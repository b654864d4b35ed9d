import { existsSync, readdirSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { AdvisoryImportFailed, type ImportRequest } from '../advisories.ts'

/** One file to be imported. */
export interface ImportPart {
  /** By which an import that was cut off knows it again: another content has another key. */
  readonly key: string
  /** For people. */
  readonly name: string
  readonly file: string
  /** The dump that its records belong to; absent: each record's own ecosystem says it. */
  readonly dump?: string | undefined
  /** The archive is the whole dump: what it does not have is no more. */
  readonly isWhole: boolean
  /** When the file was last written, for a dump that lay there: it describes no later state of the world. */
  readonly writtenAt?: number | undefined
}

export interface ImportPlan {
  /** The same for the same content. */
  readonly fingerprint: string
  readonly parts: readonly ImportPart[]
}

const ARCHIVE = 'all.zip'
const KEV = /^(kev|known_exploited_vulnerabilities)\.json(\.gz)?$/
const READABLE = /\.(zip|json|json\.gz)$/

/** What a directory or a file has to import. Throws `AdvisoryImportFailed`. */
export function planLocal({ from, ecosystems }: Pick<ImportRequest, 'from' | 'ecosystems'>): ImportPlan {
  const path = resolve(from)
  if (!existsSync(path)) throw new AdvisoryImportFailed(`There is no ${path}.`)
  const parts = statSync(path).isDirectory() ? partsOf(path, ecosystems) : [partFor(path)]
  if (parts.length === 0)
    throw new AdvisoryImportFailed(
      `There is nothing to import in ${path}: no <ecosystem>/all.zip, no .zip and no .json${ecosystems === undefined ? '' : ` for ${ecosystems.join(', ')}`}.`,
    )
  return { fingerprint: Bun.hash(JSON.stringify(parts.map(({ key }) => key))).toString(36), parts }
}

/** A bucket has a folder with an archive for each ecosystem; otherwise every readable file below the directory counts. */
function partsOf(directory: string, ecosystems: readonly string[] | undefined): readonly ImportPart[] {
  const entries = readdirSync(directory, { withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  const isWanted = (name: string) => ecosystems === undefined || ecosystems.includes(name)
  const isBucket =
    files.includes('ecosystems.txt') || folders.some((name) => existsSync(join(directory, name, ARCHIVE)))
  if (!isBucket)
    return [
      ...files.filter((name) => READABLE.test(name)).map((name) => partFor(join(directory, name))),
      ...folders.flatMap((name) => partsOf(join(directory, name), undefined)),
    ]
  const inFolders = folders.filter(isWanted).flatMap((name) => {
    const archive = join(directory, name, ARCHIVE)
    if (existsSync(archive)) return [partFor(archive, name)]
    return partsOf(join(directory, name), undefined).map((part) => ({ ...part, dump: name, isWhole: false }))
  })
  // Where there are folders, an archive beside them has the same once more.
  const beside = files.filter((name) => KEV.test(name) || (READABLE.test(name) && inFolders.length === 0))
  return [...inFolders, ...beside.map((name) => partFor(join(directory, name)))]
}

function partFor(file: string, dump?: string): ImportPart {
  if (!READABLE.test(file)) throw new AdvisoryImportFailed(`${file} is neither .zip nor .json.`)
  const { size, mtimeMs } = statSync(file)
  const folder = basename(dirname(file))
  const name = basename(file) === ARCHIVE && dump !== undefined ? `${folder}/${ARCHIVE}` : basename(file)
  return {
    key: `${file}:${size}:${mtimeMs}`,
    name,
    file,
    dump,
    isWhole: basename(file) === ARCHIVE && dump !== undefined,
    writtenAt: mtimeMs,
  }
}
