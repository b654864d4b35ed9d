import type { Image } from '../../domain/image.ts'
import type { Manifest } from '../../domain/manifest.ts'
import type { Tag } from '../../domain/names.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { Repository } from '../../domain/repository.ts'
import { DEFAULT_SCAN_CONFIGURATION, type ScanType, scanningOf } from '../../domain/scanning/configuration.ts'
import { scanQuotaExceeded } from '../../domain/scanning/errors.ts'
import type { Scan } from '../../domain/scanning/scan.ts'
import { isScannable } from '../../domain/scanning/scannable.ts'
import { isContainerImage } from '../../domain/signing/container-image.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader, MetadataWriter } from '../../stores/metadata.ts'

const DAY_MS = 24 * 3_600_000

/** What has just been pushed. */
export interface ScannablePush {
  readonly repository: Repository
  readonly image: Image
  readonly manifest: Manifest
  readonly tags: readonly Tag[]
}

/** Asks for the scans of what is pushed; they are done after the push, which waits for none of them. */
export class PushScanning {
  readonly #clock: Clock
  readonly #quotas: Quotas
  readonly #onRequested: () => void

  /** `onRequested` hears of it once the push is committed. */
  constructor(clock: Clock, quotas: Quotas, onRequested: () => void) {
    this.#clock = clock
    this.#quotas = quotas
    this.#onRequested = onRequested
  }

  /**
   * Records, in the push's own transaction, that the image is to be scanned, and what came back from the archive with it;
   * answers whether there is anything. An index is scanned by the images that it lists, which were pushed before it.
   */
  async request(tx: MetadataWriter, push: ScannablePush, restored: readonly Image[]): Promise<boolean> {
    const { repository, image, manifest, tags } = push
    if (isPublic(repository.registry)) return false
    const now = this.#clock.now()
    let isAny = false
    if (manifest.kind === 'image' && isContainerImage(manifest, tags))
      isAny = await this.#request(tx, repository, image, now)
    for (const one of restored)
      if (one.id !== image.id) isAny = (await this.requestRestored(tx, repository, one, now)) || isAny
    return isAny
  }

  /** The same for an image that is read again from `dueAt` on. */
  async requestRestored(tx: MetadataWriter, repository: Repository, image: Image, dueAt: Date): Promise<boolean> {
    return isScannable(image) && (await this.#request(tx, repository, image, dueAt))
  }

  async #request(tx: MetadataWriter, repository: Repository, image: Image, dueAt: Date): Promise<boolean> {
    const { registry } = repository
    const configuration = (await tx.scans.findConfiguration(registry)) ?? DEFAULT_SCAN_CONFIGURATION
    const { type, isScannedOnPush } = scanningOf(configuration, repository)
    if (!isScannedOnPush) return false
    const now = this.#clock.now()
    const last = await tx.scans.find(image.id, type)
    if (last !== undefined && isOfToday(last, now)) return false
    const isOverQuota = await isRegistryOverQuota(tx, repository, type, this.#quotas, now)
    await tx.scans.request(image.id, registry, type, now, dueAt)
    if (isOverQuota) await recordOverQuota(tx, image, type, now)
    return !isOverQuota
  }

  announce(): void {
    this.#onRequested()
  }
}

/** Whether the image has had its scan of the day. One that failed through no fault of the image does not count. */
export function isOfToday({ state, requestedAt, failure }: Scan, now: Date): boolean {
  const isOurs =
    state === 'DONE' && (failure?.code === 'data' || failure?.code === 'engine' || failure?.code === 'quota')
  return !isOurs && now.getTime() - requestedAt.getTime() < DAY_MS
}

/** Whether the registry has had its basic scans of the day. */
export async function isRegistryOverQuota(
  view: MetadataReader,
  { registry }: Repository,
  type: ScanType,
  { basicScansPerDay }: Quotas,
  now: Date,
): Promise<boolean> {
  if (type !== 'BASIC' || basicScansPerDay === Number.MAX_SAFE_INTEGER) return false
  return (await view.scans.countRequested(registry, type, new Date(now.getTime() - DAY_MS))) >= basicScansPerDay
}

async function recordOverQuota(tx: MetadataWriter, image: Image, type: ScanType, at: Date): Promise<void> {
  const scan = await tx.scans.find(image.id, type)
  if (scan === undefined) return
  const failure = { code: 'quota', reason: scanQuotaExceeded().message } as const
  const result = { engine: '', completedAt: at, coverage: [], failure, findingCount: 0, counts: {} }
  await tx.scans.finish(scan.id, result, { partCount: 0, parts: [] })
}
