import type { Registry, RepositoryName, RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Repository } from '../../domain/repository.ts'
import {
  checkScanConfiguration,
  DEFAULT_SCAN_CONFIGURATION,
  type RepositoryScanning,
  type ScanConfiguration,
  scanningOf,
} from '../../domain/scanning/configuration.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader, MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import { tellConfiguration } from './scan-events.ts'

/** How one repository is scanned; without `repository` there is none of that name. */
export interface AskedScanning {
  readonly name: RepositoryName
  readonly found?: { readonly repository: Repository; readonly scanning: RepositoryScanning } | undefined
}

/** What registries scan, and when. */
export class ScanConfigurations {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #clock: Clock
  readonly #onSweepDue: () => void

  /** `onSweepDue` hears once rules are there that may select images which were never scanned. */
  constructor(metadata: MetadataStore, access: Access, clock: Clock, onSweepDue: () => void) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
    this.#onSweepDue = onSweepDue
  }

  /**
   * Replaces the configuration; acts from the next push on. Enhanced scanning also picks up what was pushed lately. What
   * scans of the other type have found stays, out of sight. Throws `invalid-parameter`.
   */
  async put(principal: Principal, registry: Registry, configuration: ScanConfiguration): Promise<void> {
    await this.#access.authorize(principal, 'ecr:PutRegistryScanningConfiguration', registry)
    await this.replace(registry, configuration)
  }

  /** The same for whoever was authorised otherwise. */
  async replace(registry: Registry, configuration: ScanConfiguration): Promise<void> {
    checkScanConfiguration(configuration)
    const isSweepDue = configuration.type === 'ENHANCED' && configuration.rules.length > 0
    await this.#metadata.transact(async (tx) => {
      const before = await scanConfigurationOf(tx, registry)
      await tx.scans.putConfiguration(registry, configuration, isSweepDue)
      await tellConfiguration(tx, registry, before, configuration, this.#clock.now())
    })
    if (isSweepDue) this.#onSweepDue()
  }

  async get(principal: Principal, registry: Registry): Promise<ScanConfiguration> {
    await this.#access.authorize(principal, 'ecr:GetRegistryScanningConfiguration', registry)
    return scanConfigurationOf(this.#metadata.view, registry)
  }

  /** One answer for each name, in the order asked. */
  async ofRepositories(
    principal: Principal,
    registry: Registry,
    names: readonly RepositoryName[],
  ): Promise<readonly AskedScanning[]> {
    const refs: readonly RepositoryRef[] = names.map((name) => ({ registry, name }))
    await this.#access.authorizeAll(principal, 'ecr:BatchGetRepositoryScanningConfiguration', refs)
    return this.#metadata.read(async (view) => {
      const configuration = await scanConfigurationOf(view, registry)
      const answers: AskedScanning[] = []
      for (const ref of refs) {
        const repository = await view.repositories.find(ref)
        const found = repository && { repository, scanning: scanningOf(configuration, repository) }
        answers.push({ name: ref.name, found })
      }
      return answers
    })
  }
}

/** The configuration that holds in a registry. */
export async function scanConfigurationOf(view: MetadataReader, registry: Registry): Promise<ScanConfiguration> {
  return (await view.scans.findConfiguration(registry)) ?? DEFAULT_SCAN_CONFIGURATION
}
