import { statfs } from 'node:fs/promises'
import { isPublic } from '../../domain/public-registry.ts'
import type { Exposition, Sample } from '../../lib/exposition.ts'
import type { RepositoryFigures } from '../../services/repositories/storage-figures.ts'
import type { Foundation } from '../foundation.ts'
import type { Services } from '../services.ts'
import { repositoryLabels } from './traffic.ts'

/** How long a scrape waits for sums that are being made; the next one finds them. */
const WAIT_MS = 2_000

/** What lies on the disk, and for whom. */
export async function tellStorage(to: Exposition, { config }: Foundation, services: Services): Promise<void> {
  if (config.storage.kind === 'directory') await tellDisk(to, config.storage.path)
  const figures = await services.storageAccounts.recent(WAIT_MS)
  if (figures === undefined) return
  const { storedBytes, heldBytes, blobCount, repositories, at } = figures
  to.gauge('ecru_storage_blobs', 'Blobs on record.', [{ value: blobCount }])
  to.gauge('ecru_storage_stored_bytes', 'Bytes of all blobs, each once.', [{ value: storedBytes }])
  to.gauge('ecru_storage_held_bytes', 'Bytes that the repositories hold, each counted by itself.', [
    { value: heldBytes },
  ])
  to.gauge('ecru_storage_deduplication_saved_bytes', 'What sharing blobs between repositories saves.', [
    { value: Math.max(0, heldBytes - storedBytes) },
  ])
  to.gauge('ecru_storage_measured_timestamp_seconds', 'When these sums were begun, by the clock of the registry.', [
    { value: at.getTime() / 1000 },
  ])
  tellRegistries(to, repositories)
  const largest = repositories.toSorted((a, b) => b.sizeBytes - a.sizeBytes)
  const named = largest.slice(0, config.metrics.repositoriesMax)
  const others = largest.slice(config.metrics.repositoriesMax)
  const samples = (numberOf: (figures: RepositoryFigures) => number): readonly Sample[] => [
    ...named.map((figures) => ({ labels: repositoryLabels(figures.ref), value: numberOf(figures) })),
    ...(others.length === 0 ? [] : [{ labels: repositoryLabels(undefined), value: sumOf(others, numberOf) }]),
  ]
  const sizes = samples(({ sizeBytes }) => sizeBytes)
  to.gauge('ecru_repository_size_bytes', 'Bytes that a repository holds, shared ones included.', sizes)
  const own = samples(({ ownBytes }) => ownBytes)
  to.gauge('ecru_repository_own_bytes', 'Bytes that no other repository holds.', own)
  const images = samples(({ imageCount }) => imageCount)
  to.gauge('ecru_repository_images', 'Images in a repository.', images)
}

/** The number of registries is as open as that of repositories, and has the same bound. */
function tellRegistries(to: Exposition, repositories: readonly RepositoryFigures[]): void {
  let images = 0
  for (const { imageCount } of repositories) images += imageCount
  const byKind = { private: 0, public: 0 }
  for (const { ref } of repositories) byKind[isPublic(ref.registry) ? 'public' : 'private']++
  to.gauge(
    'ecru_repositories',
    'Repositories, by kind.',
    Object.entries(byKind).map(([kind, value]) => ({ labels: { kind }, value })),
  )
  to.gauge('ecru_images', 'Images in all repositories.', [{ value: images }])
}

async function tellDisk(to: Exposition, path: string): Promise<void> {
  const disk = await statfs(path)
  to.gauge('ecru_disk_free_bytes', 'Room that is left where the data directory lies.', [
    { value: disk.bavail * disk.bsize },
  ])
  to.gauge('ecru_disk_size_bytes', 'How large the file system of the data directory is.', [
    { value: disk.blocks * disk.bsize },
  ])
}

function sumOf<Item>(items: readonly Item[], numberOf: (item: Item) => number): number {
  return items.reduce((sum, item) => sum + numberOf(item), 0)
}
