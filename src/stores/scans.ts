import type { Image, TaggedImage } from '../domain/image.ts'
import type { Registry } from '../domain/names.ts'
import type { Repository } from '../domain/repository.ts'
import type { ScanConfiguration, ScanType } from '../domain/scanning/configuration.ts'
import type { Scan, ScanResult, SeverityCounts } from '../domain/scanning/scan.ts'
import type { Vault } from '../domain/vault.ts'
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

/** What became of a scan, without its findings. */
export interface KeptResult extends Omit<ScanResult, 'findings'> {
  readonly counts: SeverityCounts
  readonly findingCount: number
}

/** Bytes that are sealed, if they lie in a vault. */
export interface KeptDocument {
  readonly vault: Vault
  readonly body: Uint8Array
}

/** A stretch of a scan's findings, as those who keep them have packed it. */
export interface KeptPart extends KeptDocument {
  /** From 0 on. */
  readonly part: number
}

/** Findings that are other ones than before. */
export interface FindingsChange {
  /** How many parts there are now. */
  readonly partCount: number
  /** Those that have changed; the others stay. */
  readonly parts: readonly KeptPart[]
}

/** What of an image lies in clear although its repository is encrypted by a key of KMS. */
export interface ClearImage {
  readonly imageId: number
  readonly repository: Repository
  /** With generations. */
  readonly scans: readonly Pick<Scan, 'id' | 'generation'>[]
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
  /** The parts of a scan's findings from one to another, both included, in their order. */
  listParts(scanId: number, first: number, last: number): Promise<readonly KeptPart[]>
  /** Scans that are to be done by `at`, of every repository that is there, the longest due first. */
  listUnfinished(at: Date, limit: number): Promise<readonly PendingScan[]>
  /** What that version of the analyser found in an image. */
  findInventory(imageId: number, analyserVersion: number): Promise<KeptDocument | undefined>
  /** How many scans of that type have been asked for since then. */
  countRequested(registry: Registry, type: ScanType, since: Date): Promise<number>
  /** A stretch of all of a registry in ascending order of id, those of deleted repositories left out; `next` is where it goes on. */
  listOfRegistry(
    registry: Registry,
    type: ScanType,
    page: Page<number>,
  ): Promise<{ readonly placed: readonly PlacedScan[]; readonly next: number | undefined }>
  /** A stretch of all of that type, in ascending order of id, that have ended before a moment and are not asked for again. */
  listEndedBefore(
    type: ScanType,
    before: Date,
    page: Page<number>,
  ): Promise<{ readonly placed: readonly PlacedScan[]; readonly next: number | undefined }>
  /** All of every registry that have ended for want of advisories, in ascending order of id. */
  listWithoutData(page: Page<number>): Promise<readonly PlacedScan[]>
  /** All of every registry that are outdated, in ascending order of id. */
  listOutdated(page: Page<number>): Promise<readonly PlacedScan[]>
  /** A stretch of the images whose repositories have a key of KMS and of which something lies in clear, in ascending order. */
  listInClear(page: Page<number>): Promise<readonly ClearImage[]>
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
  /** Records what became of a scan, and its findings unless they are the same as before. False: the scan is gone. */
  finish(id: number, result: KeptResult, change?: FindingsChange): Promise<boolean>
  /** Advisories have changed about images whose scans do not follow them. */
  markOutdated(ids: readonly number[]): Promise<void>
  /** Puts parts in the place of those that say the same. */
  replaceParts(id: number, parts: readonly KeptPart[]): Promise<void>
  putInventory(imageId: number, analyserVersion: number, inventory: KeptDocument): Promise<void>
  /** Whatever version of the analyser has found it. */
  forgetInventory(imageId: number): Promise<void>
  /** Forgets the scans of an image, and what is in it. */
  forget(imageId: number): Promise<void>
}
