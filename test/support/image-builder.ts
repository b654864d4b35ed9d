import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

/** Bytes with their digest, as a registry keeps them. */
export interface Blob {
  readonly mediaType: string
  readonly digest: string
  readonly bytes: Buffer
}

export interface Layer extends Blob {
  readonly tar: Buffer
}

export interface Platform {
  readonly os: string
  readonly architecture: string
}

/** A manifest that is complete: every blob or manifest it names is here. */
export interface BuiltImage {
  readonly manifest: Blob
  readonly config: Blob
  readonly layers: readonly Layer[]
  readonly platform: Platform
}

export interface BuiltIndex {
  readonly manifest: Blob
  readonly images: readonly BuiltImage[]
}

export type ImageFormat = 'oci' | 'docker'

const MEDIA_TYPES = {
  oci: {
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
    index: 'application/vnd.oci.image.index.v1+json',
  },
  docker: {
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  },
} as const

export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

export function blob(mediaType: string, bytes: Buffer): Blob {
  return { mediaType, bytes, digest: sha256(bytes) }
}

/** Bytes that do not compress and are the same for the same seed. */
export function noise(seed: string, bytes: number): Buffer {
  const blocks: Buffer[] = []
  for (let made = 0, n = 0; made < bytes; made += 32, n++)
    blocks.push(createHash('sha256').update(`${seed}/${n}`).digest())
  return Buffer.concat(blocks).subarray(0, bytes)
}

/** A ustar archive of plain files, each owned by root and dated at the epoch. */
export function tar(files: Readonly<Record<string, Uint8Array | string>>, mode = 0o755): Buffer {
  const parts: Buffer[] = []
  for (const [name, content] of Object.entries(files)) {
    const bytes = Buffer.from(content as Uint8Array)
    const header = Buffer.alloc(512)
    header.write(name, 0, 100)
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100)
    header.write('0000000\0', 108)
    header.write('0000000\0', 116)
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('00000000000\0', 136)
    header.write('        ', 148)
    header.write('0', 156)
    header.write('ustar\x0000', 257)
    const sum = header.reduce((total, byte) => total + byte, 0)
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148)
    parts.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512))
  }
  return Buffer.concat([...parts, Buffer.alloc(1024)])
}

export interface ImageOptions {
  readonly format?: ImageFormat
  readonly platform?: Platform
  /** Files of each layer, bottom first. Default: three layers of different sizes made from the seed. */
  readonly layers?: readonly Readonly<Record<string, Uint8Array | string>>[]
  readonly entrypoint?: readonly string[]
  /** More members of the manifest, such as `subject` or `annotations`. */
  readonly manifest?: Readonly<Record<string, unknown>>
}

/** An image from nothing. The same seed and options give the same bytes. */
export function buildImage(seed: string, options: ImageOptions = {}): BuiltImage {
  const types = MEDIA_TYPES[options.format ?? 'oci']
  const platform = options.platform ?? { os: 'linux', architecture: 'amd64' }
  const contents = options.layers ?? [
    { 'etc/seed': seed, 'bin/noise': noise(`${seed}/small`, 4_000) },
    { 'data/a.bin': noise(`${seed}/a`, 3_000_000) },
    { 'data/b.txt': `layer of ${seed}\n` },
  ]
  const layers = contents.map((files): Layer => {
    const archive = tar(files)
    return { ...blob(types.layer, gzipSync(archive)), tar: archive }
  })
  const config = blob(
    types.config,
    json({
      ...platform,
      created: '2024-01-02T03:04:05Z',
      config: { Entrypoint: options.entrypoint ?? ['/bin/noise'], Labels: { seed } },
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => sha256(layer.tar)) },
      history: layers.map((_, n) => ({ created: '2024-01-02T03:04:05Z', created_by: `layer ${n}` })),
    }),
  )
  const manifest = blob(
    types.manifest,
    json({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: descriptor(config),
      layers: layers.map(descriptor),
      ...options.manifest,
    }),
  )
  return { manifest, config, layers, platform }
}

/** An index (OCI) or manifest list (Docker) of images for several platforms. */
export function buildIndex(images: readonly BuiltImage[], format: ImageFormat = 'oci'): BuiltIndex {
  const mediaType = MEDIA_TYPES[format].index
  const manifests = images.map(({ manifest, platform }) => ({ ...descriptor(manifest), platform }))
  return { manifest: blob(mediaType, json({ schemaVersion: 2, mediaType, manifests })), images }
}

/** Every blob and manifest below and with a manifest. */
export function everyBlob(built: BuiltImage | BuiltIndex): readonly Blob[] {
  if ('images' in built) return [built.manifest, ...built.images.flatMap(everyBlob)]
  return [built.manifest, built.config, ...built.layers]
}

/** Writes an OCI image layout; each key is the name (`org.opencontainers.image.ref.name`) of what it holds. */
export async function writeOciLayout(
  dir: string,
  named: Readonly<Record<string, BuiltImage | BuiltIndex>>,
): Promise<void> {
  await mkdir(join(dir, 'blobs/sha256'), { recursive: true })
  await writeFile(join(dir, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  const manifests = Object.entries(named).map(([name, { manifest }]) => ({
    ...descriptor(manifest),
    annotations: { 'org.opencontainers.image.ref.name': name },
  }))
  const mediaType = MEDIA_TYPES.oci.index
  await writeFile(join(dir, 'index.json'), json({ schemaVersion: 2, mediaType, manifests }))
  for (const { digest, bytes } of Object.values(named).flatMap(everyBlob)) {
    await writeFile(join(dir, 'blobs/sha256', digest.slice('sha256:'.length)), bytes)
  }
}

/** Writes what the `dir:` transport of skopeo and its kin reads: any format, each blob under its hexadecimal digest. */
export async function writeImageDirectory(dir: string, built: BuiltImage | BuiltIndex): Promise<void> {
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'version'), 'Directory Transport Version: 1.1\n')
  await writeFile(join(dir, 'manifest.json'), built.manifest.bytes)
  const images = 'images' in built ? built.images : [built]
  for (const { manifest, config, layers } of images) {
    if (manifest !== built.manifest) await writeFile(join(dir, `${hex(manifest)}.manifest.json`), manifest.bytes)
    for (const part of [config, ...layers]) await writeFile(join(dir, hex(part)), part.bytes)
  }
}

/** Writes what `docker save` writes: layers uncompressed, a manifest.json that names them. */
export async function writeDockerArchive(file: string, image: BuiltImage, reference: string): Promise<void> {
  const configName = `${hex(image.config)}.json`
  const layerNames = image.layers.map((layer) => `${sha256(layer.tar).slice('sha256:'.length)}.tar`)
  const layers = Object.fromEntries(image.layers.map((layer, n) => [layerNames[n], layer.tar]))
  const manifest = json([{ Config: configName, RepoTags: [reference], Layers: layerNames }])
  await writeFile(file, tar({ [configName]: image.config.bytes, ...layers, 'manifest.json': manifest }, 0o644))
}

export function descriptor({ mediaType, digest, bytes }: Blob): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest, size: bytes.length }
}

function hex({ digest }: Blob): string {
  return digest.slice('sha256:'.length)
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}
