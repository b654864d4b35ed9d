import { repositoryArn } from '../domain/arn.ts'
import type { Registry } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import {
  DEFAULT_SCAN_CONFIGURATION,
  type RepositoryScanning,
  type ScanConfiguration,
  scanningOf,
} from '../domain/scanning/configuration.ts'
import type { ScanState } from '../domain/scanning/status.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import type { PlacedScan } from '../stores/scans.ts'
import type { Access } from './access.ts'
import { enhancedFinding } from './enhanced-findings.ts'
import type { PullTimes } from './pulls.ts'
import { type ScanConfigurations, scanConfigurationOf } from './scan-configurations.ts'
import type { ScanFindings } from './scan-findings.ts'

/** A finding as Inspector shows it, and where it stands in the order of all. */
export interface InspectorFinding {
  readonly finding: Omit<ReturnType<typeof enhancedFinding>, 'status'> & {
    readonly status: 'ACTIVE' | 'SUPPRESSED' | 'CLOSED'
  }
  readonly scanId: number
  readonly index: number
}

/** Who asks for what, by the name of Inspector's action, and of which registry. */
export interface InspectorCaller {
  readonly principal: Principal
  readonly action: string
  readonly registry: Registry
}

/** An image that enhanced scanning knows of. */
export interface CoveredImage {
  readonly placed: PlacedScan
  readonly resourceId: string
  readonly scanning: RepositoryScanning
  readonly state: ScanState
}

const STEP = 50
const EVERYTHING: ScanConfiguration = { type: 'ENHANCED', rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] }

/** What enhanced scanning has found in a whole registry. There is nothing while a registry is scanned otherwise. */
export class Inspector {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #scanFindings: ScanFindings
  readonly #configurations: ScanConfigurations
  readonly #pulls: PullTimes

  constructor(
    metadata: MetadataStore,
    access: Access,
    scanFindings: ScanFindings,
    configurations: ScanConfigurations,
    pulls: PullTimes,
  ) {
    this.#metadata = metadata
    this.#access = access
    this.#scanFindings = scanFindings
    this.#configurations = configurations
    this.#pulls = pulls
  }

  /**
   * Every finding of the registry from a place on, in a steady order: by image as they were first scanned, the worst
   * first. Throws `access-denied`.
   */
  async findings(caller: InspectorCaller, afterScan = 0): Promise<AsyncIterable<InspectorFinding>> {
    await this.#authorize(caller)
    return this.#findings(caller.registry, afterScan)
  }

  /** Every image of the registry that enhanced scanning knows of, from a place on. Throws `access-denied`. */
  async covered(caller: InspectorCaller, afterScan = 0): Promise<AsyncIterable<CoveredImage>> {
    await this.#authorize(caller)
    return this.#covered(caller.registry, afterScan)
  }

  /** Whether enhanced scanning is on. Throws `access-denied`. */
  async isEnabled(caller: InspectorCaller): Promise<boolean> {
    await this.#authorize(caller)
    return this.#isEnabled(caller.registry)
  }

  /**
   * Switches enhanced scanning on, of all repositories and continuously unless it is on already; or off. Throws
   * `access-denied`.
   */
  async setEnabled(caller: InspectorCaller, isEnabled: boolean): Promise<void> {
    await this.#authorize(caller)
    if ((await this.#isEnabled(caller.registry)) === isEnabled) return
    await this.#configurations.replace(caller.registry, isEnabled ? EVERYTHING : DEFAULT_SCAN_CONFIGURATION)
  }

  /** No action of Inspector's names a resource. */
  async #authorize({ principal, action, registry }: InspectorCaller): Promise<void> {
    const { registryId: ownerAccountId, region } = registry
    await this.#access.authorize(principal, `inspector2:${action}`, { arn: '*', ownerAccountId, region })
  }

  async *#findings(registry: Registry, afterScan: number): AsyncGenerator<InspectorFinding> {
    for await (const { placed, state } of this.#covered(registry, afterScan)) {
      const { scan, image, repository } = placed
      const isClosed = state.status === 'SCAN_ELIGIBILITY_EXPIRED' || state.status === 'IMAGE_ARCHIVED'
      const found = await this.#metadata.read((view) => this.#scanFindings.findingsOf(view, repository, scan, image))
      for (const [index, one] of found.entries()) {
        const shown = enhancedFinding(repository, { finding: one, image, scan })
        const status = isClosed ? 'CLOSED' : one.status.kind === 'active' ? 'ACTIVE' : 'SUPPRESSED'
        yield { finding: { ...shown, status }, scanId: scan.id, index }
      }
    }
  }

  async *#covered(registry: Registry, afterScan: number): AsyncGenerator<CoveredImage> {
    const configuration = await scanConfigurationOf(this.#metadata.view, registry)
    if (configuration.type !== 'ENHANCED') return
    await this.#pulls.flush()
    for (let after = afterScan; ; ) {
      const page = await this.#metadata.view.scans.listOfRegistry(registry, 'ENHANCED', { after, limit: STEP })
      for (const placed of page.placed) {
        const scanning = scanningOf(configuration, placed.repository)
        const { state } = await this.#scanFindings.judge(placed.scan, placed.image, scanning)
        yield { placed, resourceId: `${repositoryArn(placed.repository)}/${placed.image.digest}`, scanning, state }
      }
      if (page.next === undefined) return
      after = page.next
    }
  }

  async #isEnabled(registry: Registry): Promise<boolean> {
    return (await scanConfigurationOf(this.#metadata.view, registry)).type === 'ENHANCED'
  }
}
