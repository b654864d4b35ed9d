import type { MetadataStore } from '../../stores/metadata.ts'
import type { LifecycleEvaluation } from '../lifecycle/lifecycle-evaluation.ts'
import type { StorageAccounts } from './storage-figures.ts'

/** What AWS bills by: a binary one. */
const GIGABYTE = 1024 ** 3
const STEP = 1000

/** What one repository costs, and could do without. */
export interface RepositoryCost {
  readonly registryId: string
  readonly region: string
  readonly repositoryName: string
  readonly imageCount: number
  readonly sizeBytes: number
  /** That no other repository holds. */
  readonly ownBytes: number
  /** Each blob divided by how many repositories hold it. */
  readonly shareBytes: number
  /** Of its share. */
  readonly costPerMonth: number
  /** Own bytes that only images need which the lifecycle policy would expire now; absent without a policy. */
  readonly expiringBytes?: number | undefined
  readonly savingPerMonth?: number | undefined
}

export interface CostReport {
  readonly pricePerGbMonth: number
  readonly storedBytes: number
  readonly heldBytes: number
  readonly savedByDeduplicationBytes: number
  readonly costPerMonth: number
  readonly savingPerMonth: number
  /** The dearest first. */
  readonly repositories: readonly RepositoryCost[]
}

/** Says what the storage of repositories costs at a price, and what their lifecycle policies would save. */
export class Costs {
  readonly #metadata: MetadataStore
  readonly #accounts: StorageAccounts
  readonly #evaluation: LifecycleEvaluation
  readonly #pricePerGbMonth: number

  constructor(
    metadata: MetadataStore,
    accounts: StorageAccounts,
    evaluation: LifecycleEvaluation,
    pricePerGbMonth: number,
  ) {
    this.#metadata = metadata
    this.#accounts = accounts
    this.#evaluation = evaluation
    this.#pricePerGbMonth = pricePerGbMonth
  }

  /** Walks through everything; `rest` is awaited between steps. */
  async report(rest: () => Promise<void>): Promise<CostReport> {
    const { repositories, storedBytes, heldBytes } = await this.#accounts.fresh()
    const expiring = await this.#expiringBytes(rest)
    const costs = repositories.map(({ id, ref, imageCount, sizeBytes, ownBytes, shareBytes }): RepositoryCost => {
      const { registryId, region } = ref.registry
      const expiringBytes = expiring.get(id)
      return {
        ...{ registryId, region, repositoryName: ref.name, imageCount, sizeBytes, ownBytes },
        shareBytes: Math.round(shareBytes),
        costPerMonth: this.#priceOf(shareBytes),
        ...(expiringBytes === undefined ? {} : { expiringBytes, savingPerMonth: this.#priceOf(expiringBytes) }),
      }
    })
    return {
      pricePerGbMonth: this.#pricePerGbMonth,
      storedBytes,
      heldBytes,
      savedByDeduplicationBytes: Math.max(0, heldBytes - storedBytes),
      costPerMonth: this.#priceOf(storedBytes),
      savingPerMonth: this.#priceOf([...expiring.values()].reduce((sum, bytes) => sum + bytes, 0)),
      repositories: costs.toSorted((a, b) => b.shareBytes - a.shareBytes),
    }
  }

  /** By repository, of those that have a policy. */
  async #expiringBytes(rest: () => Promise<void>): Promise<ReadonlyMap<number, number>> {
    const bytes = new Map<number, number>()
    const { lifecycle } = this.#metadata.view
    for (let after: number | undefined; ; ) {
      const policies = await lifecycle.listPolicies({ after, limit: STEP })
      for (const { policy } of policies) {
        const { repositoryId, text } = policy
        const { decisions } = await this.#evaluation.judge(repositoryId, text, rest)
        const expired = decisions.flatMap(({ action, image }) => (action === 'expire' ? [image.id] : []))
        bytes.set(repositoryId, expired.length === 0 ? 0 : await this.#onlyOf(repositoryId, new Set(expired), rest))
        await rest()
      }
      after = policies.at(-1)?.repository.id
      if (policies.length < STEP) return bytes
    }
  }

  /** The own bytes of a repository that none but these images need. */
  async #onlyOf(repositoryId: number, images: ReadonlySet<number>, rest: () => Promise<void>): Promise<number> {
    const { figures } = this.#metadata.view
    let bytes = 0
    let blob = { digest: '', bytes: 0, isNeeded: true }
    const settle = () => {
      if (!blob.isNeeded) bytes += blob.bytes
    }
    for (let after = { digest: '', imageId: 0 }; ; ) {
      const uses = await figures.listBlobUses(repositoryId, after, STEP)
      for (const { digest, imageId, sizeBytes, holders } of uses) {
        if (digest !== blob.digest) {
          settle()
          blob = { digest, bytes: holders > 1 ? 0 : sizeBytes, isNeeded: false }
        }
        if (!images.has(imageId)) blob.isNeeded = true
      }
      after = uses.at(-1) ?? after
      if (uses.length < STEP) break
      await rest()
    }
    settle()
    return bytes
  }

  #priceOf(bytes: number): number {
    return Math.round((bytes / GIGABYTE) * this.#pricePerGbMonth * 100) / 100
  }
}
