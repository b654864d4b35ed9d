import { type Digest, digestAlgorithm, digestHex, tryParseDigest } from '../domain/digest.ts'
import { MovingFailure } from './places.ts'

export const LAYOUT_FILE = 'oci-layout'
export const INDEX_FILE = 'index.json'
export const LAYOUT_TEXT = '{"imageLayoutVersion":"1.0.0"}'

/** The name of a manifest in a layout (OCI image specification, annotations). */
const REF_NAME = 'org.opencontainers.image.ref.name'
/** The whole name, as containerd and docker write it beside a tag in `REF_NAME`. */
const IMAGE_NAME = 'io.containerd.image.name'

/** One line of a layout's index. */
export interface LayoutEntry {
  readonly digest: Digest
  readonly mediaType: string
  readonly sizeBytes: number
  readonly artifactType?: string | undefined
  readonly refName?: string | undefined
  readonly imageName?: string | undefined
}

/** Reads an `index.json`. Throws `MovingFailure`. */
export function readIndex(text: string): readonly LayoutEntry[] {
  let manifests: unknown
  try {
    manifests = (JSON.parse(text) as { readonly manifests?: unknown } | null)?.manifests
  } catch (cause) {
    throw new MovingFailure('index.json of the layout is no JSON.', { cause })
  }
  if (!Array.isArray(manifests)) throw new MovingFailure('index.json of the layout has no list of manifests.')
  return manifests.map((one: unknown) => {
    const { digest, mediaType, size, artifactType, annotations } = (one ?? {}) as Readonly<Record<string, unknown>>
    const parsed = tryParseDigest(String(digest))
    if (parsed === undefined || typeof mediaType !== 'string' || typeof size !== 'number')
      throw new MovingFailure('index.json of the layout has a line that describes no manifest.')
    const notes = (annotations ?? {}) as Readonly<Record<string, unknown>>
    return {
      digest: parsed,
      mediaType,
      sizeBytes: size,
      artifactType: textOf(artifactType),
      refName: textOf(notes[REF_NAME]),
      imageName: textOf(notes[IMAGE_NAME]),
    }
  })
}

export function printIndex(entries: Iterable<LayoutEntry>): string {
  const manifests = [...entries].map(({ digest, mediaType, sizeBytes: size, artifactType, refName, imageName }) => {
    const annotations = {
      ...(refName === undefined ? {} : { [REF_NAME]: refName }),
      ...(imageName === undefined ? {} : { [IMAGE_NAME]: imageName }),
    }
    return {
      mediaType,
      digest,
      size,
      ...(artifactType === undefined ? {} : { artifactType }),
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
    }
  })
  const mediaType = 'application/vnd.oci.image.index.v1+json'
  return `${JSON.stringify({ schemaVersion: 2, mediaType, manifests }, null, 2)}\n`
}

/** Where a layout keeps content. */
export function blobFile(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`
}

/** Repository and tag of a line; without a repository, the name is a tag alone, or there is none. */
export interface EntryName {
  readonly repository?: string | undefined
  readonly tag?: string | undefined
}

/** `team/app:v1`, `team/app@sha256:…`, `v1`, with or without a host before. */
export function nameOfEntry({ refName, imageName }: LayoutEntry): EntryName {
  const text = imageName ?? refName
  if (text === undefined) return {}
  const [bare = ''] = text.split('@', 1)
  const isDigest = bare !== text
  if (!isDigest && !/[/:]/.test(bare)) return { tag: bare }
  const [first = '', ...rest] = bare.split('/')
  const isHost = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const path = isHost ? rest.join('/') : bare
  const colon = path.lastIndexOf(':')
  if (colon > path.lastIndexOf('/')) return { repository: path.slice(0, colon), tag: path.slice(colon + 1) }
  return { repository: path, tag: isDigest ? undefined : 'latest' }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
