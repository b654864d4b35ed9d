import { type FoundPackage, type Inventory, isOsPackageType, type OperatingSystem } from '../inventory/package.ts'
import { licencesOf } from './licences.ts'
import { imagePurl, packageKeys, type SbomSubject } from './sbom.ts'

const DOCUMENT = 'SPDXRef-DOCUMENT'
const IMAGE = 'SPDXRef-image'
const SYSTEM = 'SPDXRef-operating-system'
const UNKNOWN = 'NOASSERTION'

/** An inventory as an SPDX document (https://spdx.github.io/spdx-spec/v2.3/), in the order of its packages. */
export function writeSpdx(subject: SbomSubject, { os, packages, notes, analyserVersion }: Inventory): object {
  const licences = new ExtractedLicences()
  const ids = packageKeys(packages).map((key) => `SPDXRef-Package-${key}`)
  const contained = [...(os === undefined ? [] : [SYSTEM]), ...ids]
  const found = packages.map((one, at) => packageOf(one, ids[at] ?? '', licences))
  const unread = notes.map(({ path, reason }) => `${path}: ${reason}`)
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: DOCUMENT,
    name: subject.repository,
    documentNamespace: `https://spdx.org/spdxdocs/ecru-${subject.serial}`,
    ...(unread.length === 0 ? {} : { comment: `Files that could not be read: ${unread.join(' ')}` }),
    creationInfo: {
      // To the second: fractions are not of the format.
      created: subject.createdAt.toISOString().replace(/\.\d+Z$/, 'Z'),
      creators: [`Tool: ecru-${subject.toolVersion}`],
      comment: `Analyser ${analyserVersion}`,
    },
    documentDescribes: [IMAGE],
    packages: [imageOf(subject), ...(os === undefined ? [] : [systemOf(os)]), ...found],
    ...(licences.infos.length === 0 ? {} : { hasExtractedLicensingInfos: licences.infos }),
    relationships: [
      { spdxElementId: DOCUMENT, relationshipType: 'DESCRIBES', relatedSpdxElement: IMAGE },
      ...contained.map((id) => ({ spdxElementId: IMAGE, relationshipType: 'CONTAINS', relatedSpdxElement: id })),
    ],
  }
}

function imageOf(subject: SbomSubject): object {
  const { repository, digest } = subject
  const [algorithm = '', checksumValue = ''] = digest.split(':')
  return {
    SPDXID: IMAGE,
    name: repository,
    versionInfo: digest,
    primaryPackagePurpose: 'CONTAINER',
    ...unasserted,
    checksums: [{ algorithm: algorithm.toUpperCase(), checksumValue }],
    externalRefs: [purlReference(imagePurl(subject))],
  }
}

function systemOf({ id, versionId, prettyName }: OperatingSystem): object {
  return {
    SPDXID: SYSTEM,
    name: id,
    ...(versionId === undefined ? {} : { versionInfo: versionId }),
    ...(prettyName === undefined ? {} : { description: prettyName }),
    primaryPackagePurpose: 'OPERATING_SYSTEM',
    ...unasserted,
  }
}

function packageOf(found: FoundPackage, id: string, licences: ExtractedLicences): object {
  const { type, name, version, sourceName, sourceVersion, filePath, layerDigest, purl } = found
  const source = [sourceName, sourceVersion].filter((part) => part !== undefined).join(' ')
  const origins = [
    ...(isOsPackageType(type) && source !== '' ? [`built from ${source}`] : []),
    ...(filePath === undefined ? [] : [`found in ${filePath}`]),
    `in the layer ${layerDigest}`,
  ]
  return {
    SPDXID: id,
    name,
    ...(version === '' ? {} : { versionInfo: version }),
    ...unasserted,
    licenseDeclared: licences.expressionOf(found),
    sourceInfo: origins.join(', '),
    externalRefs: [purlReference(purl)],
  }
}

const unasserted = {
  downloadLocation: UNKNOWN,
  filesAnalyzed: false,
  copyrightText: UNKNOWN,
  licenseConcluded: UNKNOWN,
  licenseDeclared: UNKNOWN,
}

function purlReference(purl: string): object {
  return { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: purl }
}

/** Licences in other words than the list's: an expression may only refer to them. */
class ExtractedLicences {
  readonly #ids = new Map<string, string>()

  get infos(): readonly object[] {
    return [...this.#ids].map(([name, licenseId]) => ({ licenseId, name, extractedText: name }))
  }

  expressionOf(found: FoundPackage): string {
    const terms = licencesOf(found).map((one) => ('id' in one ? one.id : this.#referTo(one.name)))
    return terms.length === 0 ? UNKNOWN : terms.join(' AND ')
  }

  #referTo(name: string): string {
    const known = this.#ids.get(name) ?? `LicenseRef-${this.#ids.size + 1}`
    this.#ids.set(name, known)
    return known
  }
}
