import type { Coverage, EcosystemCoverage, EcosystemData } from '../advisories/coverage.ts'
import { type Inventory, isOsPackageType } from '../inventory/package.ts'
import type { ScanType } from './configuration.ts'
import { OUTDATED, type Scan, type ScanFailure } from './scan.ts'

/** ECR's sentence for images from scratch. */
export const UNSUPPORTED: ScanFailure = {
  code: 'unsupported',
  reason: 'UnsupportedImageError: The operating system and/or package manager are not supported.',
}

/** What the packages are that a type of scan looks at. */
export function inventoryFor(type: ScanType, inventory: Inventory): Inventory {
  if (type === 'ENHANCED') return inventory
  return { ...inventory, packages: inventory.packages.filter((found) => isOsPackageType(found.type)) }
}

/**
 * Why the findings of an image would not tell whether it is flawed; `undefined`: they do. What nobody looked at, or
 * looked at with nothing to compare with, is never called clean.
 */
export function failureOf({ packages }: Inventory, { ecosystems, state }: Coverage): ScanFailure | undefined {
  if (packages.length === 0) return UNSUPPORTED
  if (state === 'complete') return undefined
  return dataFailure(ecosystems) ?? { code: 'data', reason: 'No advisories have been imported.' }
}

/** What is to be known beside a result: files that say what is in an image and could not be read, or are not there. */
export function remarkOf(type: ScanType, { os, packages, notes }: Inventory): string | undefined {
  if (type === 'BASIC') return undefined
  const remarks: string[] = []
  if (os !== undefined && !packages.some((found) => isOsPackageType(found.type)))
    remarks.push(
      'The operating system has no package database that is known: only packages of languages were compared.',
    )
  const [note] = notes
  const others = notes.length === 1 ? '' : ` (and ${notes.length - 1} more)`
  if (note !== undefined) remarks.push(`Not every package could be read: ${note.path}: ${note.reason}${others}`)
  return remarks.length === 0 ? undefined : remarks.join(' ')
}

/** What is wrong with findings that have to follow the advisories and have not always done so. */
export function lagOf({ revision }: Pick<Scan, 'revision'>): ScanFailure | undefined {
  if (revision !== OUTDATED) return undefined
  return { code: 'data', reason: 'Advisories have changed that the image has not been compared with yet.' }
}

/** What is wrong with the data behind findings, `undefined` when nothing is. */
export function dataFailure(ecosystems: readonly EcosystemCoverage[]): ScanFailure | undefined {
  const lacking = ecosystems.filter(({ state }) => state !== 'covered')
  if (lacking.length === 0) return undefined
  return { code: 'data', reason: lacking.map(({ reason = '' }) => reason).join(' ') }
}

/** The same coverage as of the present data: advisories grow old also while nothing is compared. */
export function presentCoverage(
  ecosystems: readonly EcosystemCoverage[],
  data: readonly EcosystemData[],
  now: Date,
  ageMsMax: number,
): readonly EcosystemCoverage[] {
  return ecosystems.map((one) => {
    if (one.state !== 'covered' && one.state !== 'stale') return one
    const asOf = data.find(({ ecosystem }) => ecosystem === one.ecosystem)?.asOf ?? one.asOf
    if (asOf === undefined) return one
    const { reason: _, ...rest } = one
    if (now.getTime() - asOf.getTime() <= ageMsMax) return { ...rest, state: 'covered', asOf }
    const reason = `The advisories for ${one.ecosystem} are of ${asOf.toISOString().slice(0, 10)}, which is too old.`
    return { ...rest, state: 'stale', asOf, reason }
  })
}

/** The oldest state of the world that any of the data describes: a result is not newer than that. */
export function sourceUpdatedAtOf(ecosystems: readonly EcosystemCoverage[]): Date | undefined {
  const moments = ecosystems.flatMap(({ asOf }) => (asOf === undefined ? [] : [asOf.getTime()]))
  return moments.length === 0 ? undefined : new Date(Math.min(...moments))
}
