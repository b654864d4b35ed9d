import type { Registry } from '../domain/names.ts'
import type { ScanConfiguration } from '../domain/scanning/configuration.ts'
import type { SeverityCounts } from '../domain/scanning/scan.ts'
import type { ScanState } from '../domain/scanning/status.ts'
import type { PendingScan } from '../stores/scans.ts'

/** A scan has ended: for the first time since it was asked for. */
export interface EndedScan {
  readonly scan: Pick<PendingScan, 'type' | 'image' | 'repository'>
  readonly state: ScanState
  readonly counts: SeverityCounts
}

/** Hears of what ECR and Inspector would announce. Called after the fact is durable; neither throws nor waits. */
export interface ScanEvents {
  ended(scan: EndedScan): void
  configured(registry: Registry, before: ScanConfiguration, after: ScanConfiguration): void
}
