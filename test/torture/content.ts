import { type Blob, blob, descriptor, noise } from '../support/image-builder.ts'
import type { Random } from './random.ts'

const OCI = 'application/vnd.oci.image'

/** A manifest that the harness may push, with all it refers to. */
export interface ManifestContent extends Blob {
  readonly name: string
  readonly blobs: readonly string[]
  readonly children: readonly string[]
  readonly subject?: string
}

/** Everything that was ever offered to the registry, by digest: whatever it serves must be in here, byte for byte. */
export class Contents {
  readonly blobs = new Map<string, Blob>()
  readonly manifests = new Map<string, ManifestContent>()
  readonly #names = new Map<string, string>()

  blob(digest: string): Blob {
    const found = this.blobs.get(digest)
    if (found === undefined) throw new Error(`no blob ${digest}`)
    return found
  }

  manifest(digest: string): ManifestContent {
    const found = this.manifests.get(digest)
    if (found === undefined) throw new Error(`no manifest ${digest}`)
    return found
  }

  /** A short name for an account that people read. */
  nameOf(digest: string): string {
    return this.#names.get(digest) ?? digest.slice(0, 19)
  }

  addBlob(name: string, bytes: Buffer, mediaType = `${OCI}.layer.v1.tar`): Blob {
    const made = blob(mediaType, bytes)
    this.blobs.set(made.digest, made)
    this.#names.set(made.digest, name)
    return made
  }

  addImage(name: string, layers: readonly Blob[], subject?: ManifestContent): ManifestContent {
    const config = this.addBlob(
      `${name}.config`,
      json({ architecture: 'amd64', os: 'linux', name }),
      `${OCI}.config.v1+json`,
    )
    const mediaType = `${OCI}.manifest.v1+json`
    const document = {
      schemaVersion: 2,
      mediaType,
      ...(subject && { artifactType: 'application/x.torture' }),
      config: descriptor(config),
      layers: layers.map(descriptor),
      ...(subject && { subject: descriptor(subject) }),
    }
    const blobs = [...new Set([config.digest, ...layers.map(({ digest }) => digest)])]
    return this.#addManifest(name, mediaType, document, {
      blobs,
      children: [],
      ...(subject && { subject: subject.digest }),
    })
  }

  addIndex(name: string, children: readonly ManifestContent[]): ManifestContent {
    const mediaType = `${OCI}.index.v1+json`
    const document = { schemaVersion: 2, mediaType, annotations: { name }, manifests: children.map(descriptor) }
    return this.#addManifest(name, mediaType, document, { blobs: [], children: children.map(({ digest }) => digest) })
  }

  #addManifest(
    name: string,
    mediaType: string,
    document: unknown,
    refers: Pick<ManifestContent, 'blobs' | 'children' | 'subject'>,
  ): ManifestContent {
    const made = { ...blob(mediaType, json(document)), ...refers, name }
    this.manifests.set(made.digest, made)
    this.#names.set(made.digest, name)
    return made
  }
}

/** What all clients push again and again, so that they meet on the same digests. */
export interface SharedContent {
  readonly images: readonly ManifestContent[]
  readonly indexes: readonly ManifestContent[]
  readonly artifacts: readonly ManifestContent[]
}

const SHARED_LAYERS = 14
const SHARED_IMAGES = 12

export function makeSharedContent(contents: Contents, random: Random, seed: string): SharedContent {
  const layers = Array.from({ length: SHARED_LAYERS }, (_, n) =>
    contents.addBlob(`layer${n}`, noise(`${seed}/layer${n}`, 100 + random.below(n % 5 === 0 ? 90_000 : 3_000))),
  )
  const images = Array.from({ length: SHARED_IMAGES }, (_, n) =>
    contents.addImage(`image${n}`, [...new Set([random.pick(layers), random.pick(layers), random.pick(layers)])]),
  )
  const indexes = Array.from({ length: 4 }, (_, n) =>
    contents.addIndex(`index${n}`, [...new Set([random.pick(images), random.pick(images)])]),
  )
  const artifacts = Array.from({ length: 4 }, (_, n) =>
    contents.addImage(`artifact${n}`, [random.pick(layers)], random.pick(images)),
  )
  return { images, indexes, artifacts }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
