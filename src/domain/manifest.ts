import { type Digest, tryParseDigest } from './digest.ts'
import { invalidParameter, manifestInvalid, manifestTooLarge } from './errors.ts'
import { isObject, type JsonObject } from './json-values.ts'
import { parseStrictJson } from './strict-json.ts'

/** ECR's and OCI's common limit for a manifest: 4 MiB. */
export const MANIFEST_BYTES_MAX = 4 * 1024 * 1024

export const MEDIA_TYPE = {
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
} as const

const KIND_BY_MEDIA_TYPE: ReadonlyMap<string, ManifestKind> = new Map<string, ManifestKind>([
  [MEDIA_TYPE.dockerManifest, 'image'],
  [MEDIA_TYPE.ociManifest, 'image'],
  [MEDIA_TYPE.dockerManifestList, 'index'],
  [MEDIA_TYPE.ociIndex, 'index'],
])

/** Layers that a registry need not hold: their descriptors carry URLs of their own. */
const NONDISTRIBUTABLE = /^application\/vnd\.(oci\.image\.layer\.nondistributable\.|docker\.image\.rootfs\.foreign\.)/

/** An image manifest names a config and layers; an index (manifest list) names manifests. */
export type ManifestKind = 'image' | 'index'

/** OCI's content descriptor, as far as a registry reads it. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  readonly sizeBytes: number
}

/** What a registry needs to know of a manifest; the bytes themselves are kept as they came. */
export interface Manifest {
  readonly kind: ManifestKind
  readonly mediaType: string
  readonly config?: Descriptor | undefined
  /** All layers, in order, also those that need not be stored. */
  readonly layers: readonly Descriptor[]
  /** The manifests an index lists, in order. */
  readonly children: readonly Descriptor[]
  readonly subject?: Digest | undefined
  readonly artifactType?: string | undefined
  readonly annotations?: Readonly<Record<string, string>> | undefined
}

/**
 * Reads a manifest. `declaredMediaType` is what the push said about it (Content-Type, imageManifestMediaType); it must
 * agree with the manifest's own `mediaType` where both are there. Throws `manifest-invalid`, `manifest-too-large`,
 * `invalid-parameter` (no media type anywhere).
 */
export function parseManifest(bytes: Uint8Array, declaredMediaType: string | undefined): Manifest {
  if (bytes.byteLength > MANIFEST_BYTES_MAX) throw manifestTooLarge(MANIFEST_BYTES_MAX)
  const document = parseDocument(bytes)
  const mediaType = mediaTypeOf(document, declaredMediaType)
  const kind = KIND_BY_MEDIA_TYPE.get(mediaType)
  if (kind === undefined) throw manifestInvalid(`Unsupported manifest media type '${mediaType.slice(0, 160)}'`)
  if (document.schemaVersion !== 2) throw manifestInvalid('schemaVersion must be 2')
  // A document that can be read as both kinds would mean different images to different clients.
  if (kind === 'image' && document.manifests !== undefined)
    throw manifestInvalid("An image manifest must not have a member 'manifests'")
  if (kind === 'index' && (document.layers !== undefined || document.config !== undefined))
    throw manifestInvalid("An image index must not have a member 'layers' or 'config'")
  return {
    kind,
    mediaType,
    config: kind === 'image' ? descriptor(document.config, 'config') : undefined,
    layers: kind === 'image' ? descriptors(document.layers, 'layers') : [],
    children: kind === 'index' ? descriptors(document.manifests, 'manifests') : [],
    subject: document.subject === undefined ? undefined : descriptor(document.subject, 'subject').digest,
    artifactType: optionalText(document.artifactType, 'artifactType'),
    annotations: annotations(document.annotations),
  }
}

/** Whether a layer may be named without being stored. */
export function isNondistributable(layer: Descriptor): boolean {
  return NONDISTRIBUTABLE.test(layer.mediaType)
}

/** The compressed size of config and layers. */
export function contentSizeBytes({ config, layers }: Manifest): number {
  return layers.reduce((sum, layer) => sum + layer.sizeBytes, config?.sizeBytes ?? 0)
}

/** The blobs that must be in the repository for the manifest to be whole, each once. */
export function requiredBlobs({ config, layers }: Manifest): readonly Descriptor[] {
  const stored = layers.filter((layer) => !isNondistributable(layer))
  return uniqueByDigest(config === undefined ? stored : [config, ...stored])
}

/** The manifests that must be in the repository, each once. */
export function requiredChildren({ children }: Manifest): readonly Digest[] {
  return uniqueByDigest(children).map(({ digest }) => digest)
}

/** What a referrers listing calls the type: `artifactType`, else the config's media type (OCI 1.1, image manifests). */
export function referrerArtifactType({ artifactType, config }: Manifest): string | undefined {
  return artifactType ?? config?.mediaType
}

function parseDocument(bytes: Uint8Array): JsonObject {
  let value: unknown
  try {
    value = parseStrictJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    const isTelling = cause instanceof SyntaxError && /^(duplicate key|nested deeper|more than)/.test(cause.message)
    throw manifestInvalid(isTelling ? `Invalid JSON syntax: ${cause.message}` : 'Invalid JSON syntax')
  }
  if (!isObject(value)) throw manifestInvalid('Invalid JSON syntax')
  return value
}

function mediaTypeOf(document: JsonObject, declared: string | undefined): string {
  const own = optionalText(document.mediaType, 'mediaType')
  const said = declared?.split(';', 1)[0]?.trim()
  if (own !== undefined && said !== undefined && said !== '' && own !== said)
    throw manifestInvalid(`The manifest's mediaType '${own.slice(0, 160)}' is not the declared '${said.slice(0, 160)}'`)
  const mediaType = own ?? said
  if (mediaType === undefined || mediaType === '')
    throw invalidParameter('imageManifestMediaType', 'Member must be given when the manifest has no mediaType')
  return mediaType
}

function descriptors(value: unknown, member: string): readonly Descriptor[] {
  if (!Array.isArray(value)) throw manifestInvalid(`The manifest's '${member}' must be a list`)
  return value.map((entry) => descriptor(entry, member))
}

function descriptor(value: unknown, member: string): Descriptor {
  if (!isObject(value)) throw manifestInvalid(`The manifest's '${member}' must be a descriptor`)
  const { mediaType, digest, size } = value
  if (typeof mediaType !== 'string' || mediaType === '' || mediaType.length > 255)
    throw manifestInvalid(`A descriptor in '${member}' has no valid mediaType`)
  const parsed = typeof digest === 'string' ? tryParseDigest(digest) : undefined
  if (parsed === undefined) throw manifestInvalid(`A descriptor in '${member}' has no valid digest`)
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0)
    throw manifestInvalid(`A descriptor in '${member}' has no valid size`)
  return { mediaType, digest: parsed, sizeBytes: size }
}

function annotations(value: unknown): Readonly<Record<string, string>> | undefined {
  if (value === undefined || value === null) return undefined
  if (!isObject(value) || !Object.values(value).every((entry) => typeof entry === 'string'))
    throw manifestInvalid("The manifest's 'annotations' must be a map of strings")
  return value as Readonly<Record<string, string>>
}

function optionalText(value: unknown, member: string): string | undefined {
  if (value === undefined || value === '') return undefined
  if (typeof value !== 'string') throw manifestInvalid(`The manifest's '${member}' must be a string`)
  return value
}

function uniqueByDigest(all: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(all.map((entry) => [entry.digest, entry])).values()]
}
