import { MAX_PACKAGES_PER_FILE, type PackageFacts } from './layer-facts.ts'
import { linesOf } from './lines.ts'
import { MalformedFile, membersOf, textOf, wordOf } from './malformed-file.ts'
import { packageOfPurl } from './purl-package.ts'

/** Deeper than components lie inside of components in any real document. */
const MAX_NESTING = 32

/**
 * The packages of an SBOM that an image brings along, as Bitnami's do in `/opt/bitnami/<name>/.spdx-<name>.spdx`: those
 * that have a package URL, in CycloneDX (JSON) and SPDX 2 (JSON, tag and value). `undefined`: it is no SBOM, whatever
 * its name says. Throws {@link MalformedFile} for an SBOM in a form that is not read.
 */
export function parseEmbeddedSbom(bytes: Uint8Array): readonly PackageFacts[] | undefined {
  const start = textOf(bytes.subarray(0, 4096)).trimStart()
  if (start.startsWith('{')) return packagesOf(purlsOfJson(bytes))
  if (/^SPDXVersion:/m.test(start)) return packagesOf(purlsOfTags(bytes))
  if (start.startsWith('<') && start.includes('cyclonedx.org/schema/bom'))
    throw new MalformedFile('CycloneDX in XML is not read')
  return undefined
}

function packagesOf(purls: Iterable<string> | undefined): readonly PackageFacts[] | undefined {
  if (purls === undefined) return undefined
  const found = new Map<string, PackageFacts>()
  for (const purl of purls) {
    const one = packageOfPurl(purl)
    if (one === undefined) continue
    if (found.size >= MAX_PACKAGES_PER_FILE) throw new MalformedFile('it names too many packages')
    found.set([one.type, one.name, one.version, one.arch].join('\0'), one)
  }
  return [...found.values()]
}

function purlsOfJson(bytes: Uint8Array): Iterable<string> | undefined {
  let value: unknown
  try {
    value = JSON.parse(textOf(bytes))
  } catch {
    // Another format that begins with a brace, or a document that is cut off: its beginning tells.
    if (/"(bomFormat|spdxVersion)"/.test(textOf(bytes.subarray(0, 64 * 1024))))
      throw new MalformedFile('it is not valid JSON')
    return undefined
  }
  const document = membersOf(value)
  if (document.bomFormat === 'CycloneDX') return purlsOfComponents(document)
  if (typeof document.spdxVersion === 'string') return purlsOfSpdx(document)
  return undefined
}

function* purlsOfComponents(document: Readonly<Record<string, unknown>>): Generator<string> {
  const open: { readonly components: unknown; readonly depth: number }[] = [
    { components: document.components, depth: 0 },
  ]
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (next.depth > MAX_NESTING) throw new MalformedFile('its components lie too deep inside of one another')
    if (!Array.isArray(next.components)) continue
    for (const entry of next.components) {
      const { purl, components } = membersOf(entry)
      const stated = wordOf(purl)
      if (stated !== undefined) yield stated
      if (components !== undefined) open.push({ components, depth: next.depth + 1 })
    }
  }
}

function* purlsOfSpdx({ packages }: Readonly<Record<string, unknown>>): Generator<string> {
  if (!Array.isArray(packages)) return
  for (const entry of packages) {
    const { externalRefs } = membersOf(entry)
    if (!Array.isArray(externalRefs)) continue
    for (const reference of externalRefs) {
      const { referenceType, referenceLocator } = membersOf(reference)
      const stated = wordOf(referenceLocator)
      if (referenceType === 'purl' && stated !== undefined) yield stated
    }
  }
}

function* purlsOfTags(bytes: Uint8Array): Generator<string> {
  for (const line of linesOf(bytes)) {
    if (!line.startsWith('ExternalRef:')) continue
    const [, type, purl] = line.slice('ExternalRef:'.length).trim().split(/\s+/, 3)
    if (type === 'purl' && purl !== undefined) yield purl
  }
}
