import { layerTooLarge } from './errors.ts'
import type { Inflater } from './inflater.ts'
import type { FileFacts, PackageFacts } from './layer-facts.ts'
import { MAX_PACKAGES_PER_FILE } from './layer-facts.ts'
import { linesOf } from './lines.ts'
import { MalformedFile, textOf } from './malformed-file.ts'
import { baseName } from './paths.ts'
import { unzip } from './zip-archive.ts'
import { type ZipEntry, zipEntries } from './zip-directory.ts'

const ARCHIVE = /\.(jar|war|ear|par|sar|nar|kar|hpi|jpi|rar)$/i
const POM = /(^|\/)META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/
const MANIFEST = 'META-INF/MANIFEST.MF'
const MAX_TEXT_BYTES = 1024 * 1024
/** As file systems bound the name of a file. */
const MAX_NAME_CHARACTERS = 255

/** Deeper than any real archive: an application server's holds a web application, which holds libraries. */
const MAX_NESTING = 8

/** Whether a file of this name is a Java archive. */
export function isJavaArchive(path: string): boolean {
  return ARCHIVE.test(path)
}

/**
 * The Maven artifacts in a Java archive, and in the archives inside of it: by `pom.properties`, else by the manifest
 * where it states the group. An archive that states neither stays unknown, and a remark says so.
 * Throws `layer-too-large` when archives lie too deep inside of one another.
 *
 * @param liveBytes what this archive and those inside of it, one within the other, may hold in memory.
 */
export function parseJavaArchive(bytes: Uint8Array, path: string, inflater: Inflater, liveBytes: number): FileFacts {
  const packages: PackageFacts[] = []
  const remarks: string[] = []
  const read = (archive: Uint8Array, place: string, live: number, depth: number) => {
    if (depth > MAX_NESTING) throw layerTooLarge(`archives lie more than ${MAX_NESTING} deep inside of ${path}`)
    const found: PackageFacts[] = []
    let manifest: ZipEntry | undefined
    let hasClasses = false
    for (const entry of zipEntries(archive)) {
      const within = (work: () => void) => attempt(work, (reason) => remarks.push(describe(path, place, reason)))
      if (entry.name === MANIFEST) manifest = entry
      else if (entry.name.endsWith('.class')) hasClasses = true
      else if (POM.test(entry.name))
        within(() => found.push(...pomArtifact(unzip(archive, entry, inflater, MAX_TEXT_BYTES))))
      else if (isJavaArchive(entry.name)) {
        const inner = place === '' ? entry.name : `${place}/${entry.name}`
        within(() => {
          const nested = unzip(archive, entry, inflater, live)
          read(nested, inner, live - (entry.method === 0 ? 0 : nested.length), depth + 1)
        })
      }
    }
    if (found.length === 0 && manifest !== undefined) {
      const entry = manifest
      attempt(
        () => found.push(...manifestArtifact(unzip(archive, entry, inflater, MAX_TEXT_BYTES), baseName(place || path))),
        (reason) => remarks.push(describe(path, place, reason)),
      )
    }
    if (found.length === 0 && hasClasses) remarks.push(describe(path, place, 'it does not state its Maven coordinates'))
    for (const one of found) packages.push(place === '' ? one : { ...one, innerPath: place })
    if (packages.length > MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
  }
  read(bytes, '', liveBytes, 1)
  return { packages, remarks: remarks.length === 0 ? undefined : remarks }
}

function attempt(work: () => void, otherwise: (reason: string) => void): void {
  try {
    work()
  } catch (error) {
    if (!(error instanceof MalformedFile)) throw error
    otherwise(error.message)
  }
}

function describe(path: string, place: string, reason: string): string {
  return place === '' ? `${baseName(path)}: ${reason}` : `${place}: ${reason}`
}

function pomArtifact(bytes: Uint8Array): readonly PackageFacts[] {
  const values = new Map<string, string>()
  for (const line of linesOf(bytes)) {
    const [, key, value] = /^(groupId|artifactId|version)\s*[=:](.*)$/.exec(line.trim()) ?? []
    if (key !== undefined && value !== undefined) values.set(key, value.trim())
  }
  return artifact(values.get('groupId'), values.get('artifactId'), values.get('version'))
}

function manifestArtifact(bytes: Uint8Array, fileName: string): readonly PackageFacts[] {
  const values = new Map<string, string>()
  // A line that begins with a space goes on with the one before; the first empty line ends what is said of the whole.
  for (const line of textOf(bytes)
    .replaceAll(/\r?\n /g, '')
    .split(/\r?\n/)) {
    if (line === '') break
    const colon = line.indexOf(':')
    if (colon > 0) values.set(line.slice(0, colon), line.slice(colon + 1).trim())
  }
  const [, fileArtifact, fileVersion] = /^(.+?)-(\d[\w.+-]*)\.[a-z]+$/i.exec(fileName.slice(-MAX_NAME_CHARACTERS)) ?? []
  const version = values.get('Implementation-Version') ?? values.get('Bundle-Version') ?? fileVersion
  return artifact(values.get('Implementation-Vendor-Id'), fileArtifact, version)
}

function artifact(group?: string, name?: string, version?: string): readonly PackageFacts[] {
  const isPlain = [group, name, version].every((one) => one !== undefined && one !== '' && !/[\s${}]/.test(one))
  return isPlain ? [{ type: 'maven', name: `${group}:${name}`, version: version ?? '' }] : []
}
