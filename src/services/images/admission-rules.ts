import { type AdmissionRule, checkAdmissionRule, ruleFor } from '../../domain/admission/rule.ts'
import type { Registry, RepositoryName } from '../../domain/names.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'

/** Which images may be pulled, as operators say it. Who may say so is decided outside. */
export class AdmissionRules {
  readonly #metadata: MetadataStore
  readonly #clock: Clock

  constructor(metadata: MetadataStore, clock: Clock) {
    this.#metadata = metadata
    this.#clock = clock
  }

  /** Replaces the rule for the same repositories; acts from the next pull on. Throws `invalid-parameter`. */
  async set(registry: Registry, wanted: Omit<AdmissionRule, 'changedAt'>): Promise<AdmissionRule> {
    const rule: AdmissionRule = { ...wanted, changedAt: this.#clock.now() }
    checkAdmissionRule(rule)
    await this.#metadata.transact((tx) => tx.admission.put(registry, rule))
    return rule
  }

  /** False: there is none. */
  async remove(registry: Registry, repositories: string): Promise<boolean> {
    return await this.#metadata.transact((tx) => tx.admission.delete(registry, repositories))
  }

  async list(registry: Registry): Promise<readonly AdmissionRule[]> {
    return await this.#metadata.view.admission.list(registry)
  }

  /** The rule that holds in a repository, whether it is there yet or not. */
  async findFor(registry: Registry, name: RepositoryName): Promise<AdmissionRule | undefined> {
    return ruleFor(await this.list(registry), name)
  }
}
