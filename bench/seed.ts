import { type Digest, parseDigest } from '../src/domain/digest.ts'
import { MUTABLE } from '../src/domain/mutability.ts'
import { parseRepositoryName, parseTag, type Registry } from '../src/domain/names.ts'
import { PLAIN } from '../src/domain/vault.ts'
import type { MetadataStore, MetadataWriter } from '../src/stores/metadata.ts'
import { sha256 } from './registry-client.ts'

const perRepository = 100_000
const perTransaction = 1000
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip'
const configType = 'application/vnd.oci.image.config.v1+json'
const manifestType = 'application/vnd.oci.image.manifest.v1+json'
const registry = { registryId: '000000000000', region: 'us-east-1' } as Registry
const epochMs = Date.parse('2026-01-01T00:00:00Z')

/** The repository that holds the first 100 000 seeded images; further ones are `…-1`, `…-2`. */
export const seededRepository = 'bench/seeded'

/** The tag of the nth seeded image; tags sort as their numbers do. */
export function seededTag(n: number): string {
  return `build-${String(n).padStart(7, '0')}`
}

/**
 * Records many images as pushes would, each with a tag, a config of its own and layers that all share, through the
 * store's own classes and without any bytes of blobs. The store is the caller's.
 */
export async function seedImages(store: MetadataStore, images: number): Promise<void> {
  for (let first = 0; first < images; first += perRepository) {
    const name = first === 0 ? seededRepository : `${seededRepository}-${first / perRepository}`
    const repositoryId = await store.transact((tx) => insertRepository(tx, name))
    const end = Math.min(first + perRepository, images)
    for (let n = first; n < end; n += perTransaction) {
      const until = Math.min(n + perTransaction, end)
      await store.transact((tx) => insertImages(tx, repositoryId, n, until), { durability: 'relaxed' })
    }
  }
}

async function insertRepository(tx: MetadataWriter, name: string): Promise<number> {
  const { id } = await tx.repositories.insert({
    registry,
    name: parseRepositoryName(name),
    createdAt: new Date(epochMs),
    mutability: MUTABLE,
    isScannedOnPush: false,
    encryption: { type: 'AES256' },
  })
  for (const layer of sharedLayers) await link(tx, id, layer)
  return id
}

const sharedLayers = [1, 2, 3].map((n) => digestOf(`layer ${n}`))

async function insertImages(tx: MetadataWriter, repositoryId: number, from: number, until: number): Promise<void> {
  for (let n = from; n < until; n++) {
    const config = digestOf(`config ${n}`)
    await link(tx, repositoryId, config)
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: { mediaType: configType, digest: config, size: 1000 },
        layers: sharedLayers.map((digest) => ({ mediaType: layerType, digest, size: 10_000_000 })),
      }),
    )
    const pushedAt = new Date(epochMs + n * 1000)
    const { id } = await tx.images.insert({
      repositoryId,
      digest: parseDigest(sha256(manifest)),
      mediaType: manifestType,
      artifactMediaType: configType,
      sizeBytes: 30_001_000,
      manifestSizeBytes: manifest.byteLength,
      pushedAt,
      manifest,
      vault: PLAIN,
      blobs: [
        { digest: config, mediaType: configType },
        ...sharedLayers.map((digest) => ({ digest, mediaType: layerType })),
      ],
      children: [],
    })
    await tx.images.putTag(repositoryId, parseTag(seededTag(n)), id, pushedAt)
  }
}

async function link(tx: MetadataWriter, repositoryId: number, digest: Digest): Promise<void> {
  const at = new Date(epochMs)
  await tx.blobs.claim({ digest, vault: PLAIN }, at)
  await tx.blobs.link(repositoryId, { digest, vault: PLAIN }, 1000, at)
}

/** The bytes of every blob that as many seeded images name. */
export function* seededContents(images: number): Generator<string, void, void> {
  for (const n of [1, 2, 3]) yield `layer ${n}`
  for (let n = 0; n < images; n++) yield `config ${n}`
}

function digestOf(text: string): Digest {
  return parseDigest(sha256(Buffer.from(text)))
}
