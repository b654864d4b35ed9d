import type { Inventory, OperatingSystem } from '../../domain/inventory/package.ts'
import type { ScanType } from '../../domain/scanning/configuration.ts'
import { failureOf, inventoryFor, remarkOf, sourceUpdatedAtOf } from '../../domain/scanning/judge.ts'
import type { Match, Matching } from '../advisories/matching.ts'
import type { Inventories } from './inventories.ts'
import { BUILT_IN, type EngineReport, type ScanEngine, type ScanTarget } from './scan-engine.ts'

/** The registry's own scanner: what is in the layers, compared with the advisories that were imported. */
export class BuiltInEngine implements ScanEngine {
  readonly name = BUILT_IN
  readonly #inventories: Inventories
  readonly #matching: Matching

  constructor(inventories: Inventories, matching: Matching) {
    this.#inventories = inventories
    this.#matching = matching
  }

  async scan({ layers }: ScanTarget, type: ScanType, signal: AbortSignal): Promise<EngineReport> {
    const inventory = await this.#inventories.inventoryOf(layers, signal)
    const match = await this.#matching.match(inventoryFor(type, inventory))
    return { ...reportOf(type, inventory, match), inventory }
  }
}

/** What follows from a comparison of an image's packages with the advisories. */
export function reportOf(type: ScanType, inventory: Inventory, { findings, coverage }: Match): EngineReport {
  return {
    findings,
    coverage: coverage.ecosystems,
    failure: failureOf(inventoryFor(type, inventory), coverage),
    remark: remarkOf(type, inventory),
    sourceUpdatedAt: sourceUpdatedAtOf(coverage.ecosystems),
    revision: coverage.revision,
    platform: platformOf(inventory.os),
  }
}

/** `DEBIAN_12`, as Inspector calls it. */
function platformOf(os: OperatingSystem | undefined): string | undefined {
  return (
    os &&
    [os.id, os.versionId]
      .filter((part) => part !== undefined)
      .join('_')
      .toUpperCase()
  )
}
