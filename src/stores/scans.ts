import type { Image, TaggedImage } from '../domain/image.ts'
import type { Inventory } from '../domain/inventory/package.ts'
import type { Registry } from '../domain/names.ts'
import type { Repository } from '../domain/repository.ts'
import type { ScanConfiguration, ScanType } from '../domain/scanning/configuration.ts'
import type { ObservedFinding, Scan, ScanResult, SeverityCounts } from '../domain/scanning/scan.ts'
import type { Page } from './page.ts'

/** A scan that is to be done. */
export interface PendingScan {
  readonly id: number
  readonly type: ScanType
  /** How many times it was begun and did not come to an end. */
  readonly attempts: number
  readonly image: Image
  readonly repository: Repository
}

/** A scan with what it is about. */
export interface PlacedScan {
  readonly scan: Scan
  readonly image: TaggedImage
  readonly repository: Repository
}

/** What a scan found, as it is kept. */
export interface KeptResult extends ScanResult {
  readonly counts: SeverityCounts
}

/** How registries are scanned, and what scans have found. */
export interface ScanReader {
  findConfiguration(registry: Registry): Promise<ScanConfiguration | undefined>
  /** Registries whose rules select images that nobody has looked for yet. */
  listSweeps(limit: number): Promise<readonly Registry[]>
  /** The latest scan of that type. */
  find(imageId: number, type: ScanType): Promise<Scan | undefined>
  /** The latest scans of that type, by image. */
  findMany(imageIds: readonly number[], type: ScanType): Promise<ReadonlyMap<number, Scan>>
  /** In the order in which they were recorded, from a position on. */
  listFindings(scanId: number, from: number, limit: number): Promise<readonly ObservedFinding[]>
  /** Scans that are to be done by `at`, of every repository that is there, the longest due first. */
  listUnfinished(at: Date, limit: number): Promise<readonly PendingScan[]>
  /** What that version of the analyser found in an image. */
  findInventory(imageId: number, analyserVersion: number): Promise<Inventory | undefined>
  /** How many scans of that type have been asked for since then. */
  countRequested(registry: Registry, type: ScanType, since: Date): Promise<number>
  /** A stretch of all of a registry in ascending order of id, those of deleted repositories left out; `next` is where it goes on. */
  listOfRegistry(
    registry: Registry,
    type: ScanType,
    page: Page<number>,
  ): Promise<{ readonly placed: readonly PlacedScan[]; readonly next: number | undefined }>
  /** All of every registry that have ended for want of advisories, in ascending order of id. */
  listWithoutData(page: Page<number>): Promise<readonly PlacedScan[]>
  /** Scans of these images that have ended once, with what they are about. */
  listOfImages(imageIds: readonly number[]): Promise<readonly PlacedScan[]>
}

/** What belongs to an image goes when the image goes. */
export interface ScanWriter extends ScanReader {
  putConfiguration(registry: Registry, configuration: ScanConfiguration, isSweepDue: boolean): Promise<void>
  endSweep(registry: Registry): Promise<void>
  /** Asks for a scan from `dueAt` on, in the place of the last one; what that found stays until then. */
  request(imageId: number, registry: Registry, type: ScanType, at: Date, dueAt: Date): Promise<void>
  /** Counts one more attempt. False: there is nothing to be done any more. */
  begin(id: number): Promise<boolean>
  /** Puts it off; the present attempt counts as one, or not. */
  postpone(id: number, dueAt: Date, isCounted: boolean): Promise<void>
  /** Records what was found. False: the scan is gone. */
  finish(id: number, result: KeptResult): Promise<boolean>
  putInventory(imageId: number, inventory: Inventory): Promise<void>
  /** Forgets the scans of an image, and what is in it. */
  forget(imageId: number): Promise<void>
}
