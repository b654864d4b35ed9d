import type { Suppression } from '../../domain/advisories/suppressions.ts'
import { invalidParameters } from '../../domain/errors.ts'
import { isRepositoryName, type Registry } from '../../domain/names.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore } from '../../stores/metadata.ts'

/** A rule before it has an id. */
export type NewSuppression = Omit<Suppression, 'id' | 'createdAt'>

const VULNERABILITY = /^[A-Za-z0-9][A-Za-z0-9._:-]{2,127}$/
const PACKAGE_LENGTH_MAX = 512
const REASON_LENGTH_MAX = 2_000
const RULES_MAX = 1_000

/** The rules by which the owner of a registry sets findings aside. Who may make them is decided outside. */
export class SuppressionRules {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(metadata: MetadataStore, clock: Clock, ids: Ids) {
    this.#metadata = metadata
    this.#clock = clock
    this.#ids = ids
  }

  /** Acts on what is shown and decided from now on; nothing is scanned again. Throws `invalid-parameter`. */
  async add(registry: Registry, wanted: NewSuppression): Promise<Suppression> {
    const createdAt = this.#clock.now()
    check(wanted, createdAt)
    const rule: Suppression = { ...wanted, id: this.#ids.uuid(), createdAt }
    await this.#metadata.transact(async (tx) => {
      if ((await tx.suppressions.list(registry)).length >= RULES_MAX)
        throw invalidParameters(`A registry has ${RULES_MAX} suppressions at most.`)
      await tx.suppressions.put(registry, rule)
    })
    return rule
  }

  /** In ascending order of id, also those that have expired. */
  async list(registry: Registry): Promise<readonly (Suppression & { readonly isExpired: boolean })[]> {
    const now = this.#clock.now()
    const rules = await this.#metadata.view.suppressions.list(registry)
    return rules.map((rule) => ({ ...rule, isExpired: rule.expiresAt !== undefined && rule.expiresAt <= now }))
  }

  /** False: there is none. */
  async remove(registry: Registry, id: string): Promise<boolean> {
    return await this.#metadata.transact((tx) => tx.suppressions.delete(registry, id))
  }
}

function check({ vulnerability, repositoryName, packageName, reason, expiresAt }: NewSuppression, now: Date): void {
  if (!VULNERABILITY.test(vulnerability))
    throw invalidParameters('A suppression names a flaw by an id such as CVE-2026-1234.')
  if (repositoryName !== undefined && !isRepositoryName(repositoryName))
    throw invalidParameters(`'${repositoryName.slice(0, 128)}' is no name of a repository.`)
  if (packageName !== undefined && (packageName === '' || packageName.length > PACKAGE_LENGTH_MAX))
    throw invalidParameters('The name of the package is empty or too long.')
  if (reason.trim() === '' || reason.length > REASON_LENGTH_MAX)
    throw invalidParameters(`A suppression has a reason, of ${REASON_LENGTH_MAX} characters at most.`)
  if (expiresAt !== undefined && !(expiresAt > now)) throw invalidParameters('A suppression ends in the future.')
}
