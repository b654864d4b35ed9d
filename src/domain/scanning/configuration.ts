import { invalidParameter } from '../errors.ts'
import type { Repository } from '../repository.ts'
import { wildcard } from '../wildcard.ts'

/** `BASIC`: OS packages, at a push or when asked. `ENHANCED`: language packages too, and kept up to date. */
export type ScanType = 'BASIC' | 'ENHANCED'
export type ScanFrequency = 'SCAN_ON_PUSH' | 'CONTINUOUS_SCAN' | 'MANUAL'

export interface ScanRule {
  readonly frequency: ScanFrequency
  /** Of which one must match the name of a repository. */
  readonly filters: readonly string[]
}

/** What is scanned in one registry, and when. */
export interface ScanConfiguration {
  readonly type: ScanType
  readonly rules: readonly ScanRule[]
}

/** Nothing is scanned unless somebody asks, or a repository says so itself. */
export const DEFAULT_SCAN_CONFIGURATION: ScanConfiguration = { type: 'BASIC', rules: [] }

const RULES_MAX = 2

const FREQUENCIES: Readonly<Record<ScanType, readonly ScanFrequency[]>> = {
  BASIC: ['SCAN_ON_PUSH', 'MANUAL'],
  ENHANCED: ['SCAN_ON_PUSH', 'CONTINUOUS_SCAN'],
}

/** Throws `invalid-parameter` for rules that could not act: too many, twice the same frequency, one that the type has not. */
export function checkScanConfiguration({ type, rules }: ScanConfiguration): void {
  if (rules.length > RULES_MAX) throw invalidParameter('rules', `Member must have at most ${RULES_MAX} items`)
  const known = FREQUENCIES[type]
  for (const [index, { frequency }] of rules.entries()) {
    if (!known.includes(frequency))
      throw invalidParameter(
        `rules.${index + 1}.scanFrequency`,
        `Scan type ${type} has the scan frequencies [${known.join(', ')}]`,
      )
    if (rules.findIndex((rule) => rule.frequency === frequency) !== index)
      throw invalidParameter(`rules.${index + 1}.scanFrequency`, `There is another rule for ${frequency}`)
  }
}

/** Scanning's own dialect: without a `*` a filter matches every name that contains it, with one the whole name must match. */
export function matchesScanFilter(filter: string, repositoryName: string): boolean {
  return filter.includes('*') ? wildcard(filter)(repositoryName) : repositoryName.includes(filter)
}

/** How a repository is scanned. */
export interface RepositoryScanning {
  readonly type: ScanType
  readonly frequency: ScanFrequency
  readonly isScannedOnPush: boolean
  /** The filters that made it so. */
  readonly appliedFilters: readonly string[]
}

const PRECEDENCE: readonly ScanFrequency[] = ['CONTINUOUS_SCAN', 'SCAN_ON_PUSH', 'MANUAL']

/** The rule of the most frequent scans wins. A repository's own wish to be scanned counts for basic scans. */
export function scanningOf(
  { type, rules }: ScanConfiguration,
  repository: Pick<Repository, 'name' | 'isScannedOnPush'>,
): RepositoryScanning {
  const matching = PRECEDENCE.flatMap((frequency) =>
    rules
      .filter((rule) => rule.frequency === frequency)
      .map(({ filters }) => ({ frequency, filters: filters.filter((one) => matchesScanFilter(one, repository.name)) }))
      .filter(({ filters }) => filters.length > 0),
  )
  const [applied] = matching
  const isWished = type === 'BASIC' && repository.isScannedOnPush
  const byRule = applied?.frequency ?? 'MANUAL'
  const frequency = byRule === 'MANUAL' && isWished ? 'SCAN_ON_PUSH' : byRule
  return { type, frequency, isScannedOnPush: frequency !== 'MANUAL', appliedFilters: applied?.filters ?? [] }
}
