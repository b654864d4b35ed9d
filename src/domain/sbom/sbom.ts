import type { Digest } from '../digest.ts'
import type { FoundPackage, Inventory } from '../inventory/package.ts'
import { licencesOf } from './licences.ts'

/** The forms in which a software bill of materials is written. */
export type SbomFormat = 'cyclonedx-1.5' | 'cyclonedx-1.6' | 'spdx-2.3'

export const SBOM_FORMATS: readonly SbomFormat[] = ['cyclonedx-1.6', 'cyclonedx-1.5', 'spdx-2.3']

/** By which media type a document is known, also as the artifact type of one that is attached to an image. */
export function sbomMediaType(format: SbomFormat): string {
  return format === 'spdx-2.3' ? 'application/spdx+json' : 'application/vnd.cyclonedx+json'
}

/** What a document is about, and how it came about. */
export interface SbomSubject {
  /** As people name the repository: `000000000000.dkr.ecr.us-east-1.amazonaws.com/app`. */
  readonly repository: string
  readonly digest: Digest
  /** `linux/amd64`; absent when the image's configuration does not say. */
  readonly platform?: string | undefined
  /** A UUID. The same for the same content, so that whoever compares documents sees that. */
  readonly serial: string
  readonly createdAt: Date
  /** Of Ecru. */
  readonly toolVersion: string
}

/** The image's own package URL. */
export function imagePurl({ repository, digest, platform }: SbomSubject): string {
  const name = repository.slice(repository.lastIndexOf('/') + 1).toLowerCase()
  const arch = platform?.split('/')[1]
  const qualifiers = [
    ...(arch === undefined ? [] : [`arch=${encodeURIComponent(arch)}`]),
    `repository_url=${encodeURIComponent(repository)}`,
  ]
  return `pkg:oci/${encodeURIComponent(name)}@${encodeURIComponent(digest).replaceAll('%3A', ':')}?${qualifiers.join('&')}`
}

/** A name within a document for each package, each once, of `A-Za-z0-9.-` and the same for the same inventory. */
export function packageKeys(packages: readonly FoundPackage[]): readonly string[] {
  const taken = new Set<string>()
  return packages.map(({ type, name, version }) => {
    const key = `${type}-${name}-${version}`.replace(/[^A-Za-z0-9.]+/g, '-')
    let free = key
    for (let count = 2; taken.has(free); count++) free = `${key}-${count}`
    taken.add(free)
    return free
  })
}

/** What two documents have in common that say the same of an image: everything but when they were written. */
export function sbomContent(format: SbomFormat, { repository, digest }: SbomSubject, inventory: Inventory): string {
  const { os, packages, notes, analyserVersion } = inventory
  const facts = packages.map((found) => [found.purl, found.filePath, found.layerDigest, licencesOf(found)])
  return JSON.stringify([format, repository, digest, analyserVersion, os, facts, notes])
}
