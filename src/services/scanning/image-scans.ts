import { imageArchived } from '../../domain/archive-errors.ts'
import type { Digest } from '../../domain/digest.ts'
import type { Image, ImageId } from '../../domain/image.ts'
import { parseManifest } from '../../domain/manifest.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { Repository } from '../../domain/repository.ts'
import { imageTypeUnsupported, scanningDisabled, scanQuotaExceeded } from '../../domain/scanning/errors.ts'
import { isContainerImage } from '../../domain/signing/container-image.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader, MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { getImage } from '../images/get-image.ts'
import { getRepository } from '../repositories/repositories.ts'
import { isOfToday, isRegistryOverQuota } from './push-scanning.ts'
import { scanConfigurationOf } from './scan-configurations.ts'

/** What requests for scans go through. */
export interface ImageScanParts {
  readonly metadata: MetadataStore
  readonly vaults: Vaults
  readonly access: Access
  readonly clock: Clock
  /** Hears once a scan is to be done. */
  onRequested(): void
}

/** Scans that people ask for. */
export class ImageScans {
  readonly #metadata: MetadataStore
  readonly #vaults: Vaults
  readonly #access: Access
  readonly #clock: Clock
  readonly #quotas: Quotas
  readonly #onRequested: () => void

  constructor(parts: ImageScanParts, quotas: Quotas) {
    this.#metadata = parts.metadata
    this.#vaults = parts.vaults
    this.#access = parts.access
    this.#clock = parts.clock
    this.#quotas = quotas
    this.#onRequested = parts.onRequested
  }

  /**
   * Asks for a basic scan of an image, or of those that an index lists; durable once answered. Throws
   * `repository-not-found`, `image-not-found`, `image-archived`, `image-type-unsupported`, `scan-refused` under enhanced
   * scanning, `limit-exceeded` when all of them have had their scan of the day, or the registry its scans.
   */
  async start(principal: Principal, ref: RepositoryRef, imageId: ImageId): Promise<Digest> {
    await this.#access.authorize(principal, 'ecr:StartImageScan', ref)
    const { repository, image } = await this.#metadata.read(async (view) => {
      const found = await getRepository(view, ref)
      if ((await scanConfigurationOf(view, ref.registry)).type === 'ENHANCED') throw scanningDisabled()
      return { repository: found, image: await getImage(view, found.id, imageId, ref, 'imageId') }
    })
    if (image.status !== 'ACTIVE') throw imageArchived(imageId, image.status, ref)
    const targets = await this.#targetsOf(repository, image)
    if (targets.length === 0) throw imageTypeUnsupported()
    await this.#metadata.transact(async (tx) => {
      const now = this.#clock.now()
      const due: Image[] = []
      for (const target of targets) {
        if ((await tx.images.find(repository.id, { digest: target.digest }))?.id !== target.id) continue
        const last = await tx.scans.find(target.id, 'BASIC')
        if (last === undefined || !isOfToday(last, now)) due.push(target)
      }
      if (due.length === 0 || (await isRegistryOverQuota(tx, repository, 'BASIC', this.#quotas, now)))
        throw scanQuotaExceeded()
      for (const { id } of due) await tx.scans.request(id, ref.registry, 'BASIC', now, now)
    })
    this.#onRequested()
    return image.digest
  }

  /** What there is to scan of an image: itself, or what an index lists, without what only describes other images. */
  async #targetsOf(repository: Repository, image: Image): Promise<readonly Image[]> {
    const { view } = this.#metadata
    const candidates = [image, ...(await scannedOf(view, image))]
    const targets: Image[] = []
    for (const candidate of candidates)
      if (candidate.status === 'ACTIVE' && (await hasFileSystem(view, this.#vaults, repository, candidate)))
        targets.push(candidate)
    return targets
  }
}

/** Whether an image of the repository is one that could be scanned, by its manifest. False once it is gone. */
export async function hasFileSystem(
  view: MetadataReader,
  vaults: Vaults,
  repository: RepositoryRef,
  image: Image,
): Promise<boolean> {
  const resolved = await view.images.resolve(repository, { digest: image.digest })
  if (resolved?.found === undefined) return false
  const manifest = parseManifest(await vaults.openManifest(resolved.found), image.mediaType)
  return manifest.kind === 'image' && isContainerImage(manifest, [])
}

/** How deep indexes may list indexes. */
const DEPTH_MAX = 4

/** The images that an index lists, also through other indexes; none for an image. */
export async function scannedOf(view: MetadataReader, image: Image, depth = 0): Promise<readonly Image[]> {
  if (depth === DEPTH_MAX) return []
  const children = await view.images.childrenOf(image.repositoryId, image.digest)
  const deeper: Image[] = []
  for (const child of children) deeper.push(...(await scannedOf(view, child, depth + 1)))
  return [...new Map([...children, ...deeper].map((child) => [child.id, child])).values()]
}
