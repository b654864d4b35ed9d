import type { Suppression } from '../domain/advisories/suppressions.ts'
import type { Registry } from '../domain/names.ts'
import type { Page } from './page.ts'

/** A package as advisories know it. */
export interface IndexedPackage {
  /** Canonical. */
  readonly ecosystem: string
  /** Canonical. */
  readonly name: string
}

/** Which images hold which packages: by it a change of advisories finds the images that it concerns. */
export interface PackageIndexReader {
  /** The images that hold any of these packages, each once, in no order. */
  imagesWith(packages: readonly IndexedPackage[]): Promise<readonly number[]>
  /** Every image that the index knows, in ascending order of id. */
  listImages(page: Page<number>): Promise<readonly number[]>
  /** Up to which revision of the advisories all images have been compared; `undefined`: never. */
  findRevision(): Promise<number | undefined>
}

/** What belongs to an image goes when the image goes. */
export interface PackageIndexWriter extends PackageIndexReader {
  /** Replaces what is known of an image. */
  put(imageId: number, packages: readonly IndexedPackage[]): Promise<void>
  putRevision(revision: number): Promise<void>
}

export interface SuppressionReader {
  /** In ascending order of id. */
  list(registry: Registry): Promise<readonly Suppression[]>
}

export interface SuppressionWriter extends SuppressionReader {
  /** Replaces a rule of the same id. */
  put(registry: Registry, suppression: Suppression): Promise<void>
  /** False: there is none. */
  delete(registry: Registry, id: string): Promise<boolean>
}
