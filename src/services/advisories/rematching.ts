import { type ChangedPackages, indexKeysOf } from '../../domain/advisories/match.ts'
import type { Inventory } from '../../domain/inventory/package.ts'
import type { Repository } from '../../domain/repository.ts'
import { PLAIN } from '../../domain/vault.ts'
import type { AdvisoryStore } from '../../stores/advisories.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { IndexedPackage } from '../../stores/package-index.ts'
import type { Vaults } from '../encryption/vaults.ts'

/** What is to be compared again, and up to which revision of the advisories all images are then compared. */
export interface Rematch {
  readonly revision: number
  /** The images that hold a package about which something changed; all indexed ones when too much did. */
  readonly imageIds: readonly number[]
  /** What changed; `undefined`: everything may have. */
  readonly changes: AdvisoryChanges | undefined
}

/** What changed since a revision: findings of an older one may lack more than that. */
export interface AdvisoryChanges extends ChangedPackages {
  readonly since: number
}

const PAGE = 5_000
/** What stands in the place of an ecosystem for names that nobody is to read. */
const CONCEALED = 'concealed'

/**
 * Finds the images that a change of advisories concerns, by the packages that they hold and nothing else: no layer is read
 * again, and no image that holds none of the changed packages is looked at.
 */
export class Rematching {
  readonly #metadata: MetadataStore
  readonly #advisories: AdvisoryStore
  readonly #vaults: Vaults

  constructor(metadata: MetadataStore, advisories: AdvisoryStore, vaults: Vaults) {
    this.#metadata = metadata
    this.#vaults = vaults
    this.#advisories = advisories
  }

  /** What an image is found by: the names of its packages, concealed when its repository is encrypted. */
  async keysOf(
    repository: Repository,
    { os, packages }: Pick<Inventory, 'os' | 'packages'>,
  ): Promise<readonly IndexedPackage[]> {
    const keys = indexKeysOf(packages, os)
    return this.#vaults.vaultOf(repository) === PLAIN ? keys : await this.#concealed(keys)
  }

  /** Whether advisories have been imported since the last `finish`. */
  async isDue(): Promise<boolean> {
    const done = await this.#metadata.view.packageIndex.findRevision()
    return this.#advisories.use((set) => set !== undefined && set.status.revision !== done)
  }

  /** What changed since the last `finish`; `undefined`: nothing, or there are no advisories. */
  async find(): Promise<Rematch | undefined> {
    const done = await this.#metadata.view.packageIndex.findRevision()
    const change = await this.#advisories.use((set) => {
      if (set === undefined || set.status.revision === done) return undefined
      const packages = done === undefined ? ('everything' as const) : set.changesSince(done)
      return { revision: set.status.revision, packages }
    })
    if (change === undefined) return undefined
    const { revision, packages } = change
    const imageIds =
      packages === 'everything'
        ? await this.#allImages()
        : await this.#metadata.view.packageIndex.imagesWith([...packages, ...(await this.#concealed(packages))])
    const changes = done === undefined || packages === 'everything' ? undefined : changesOf(done, packages)
    return { revision, imageIds: imageIds.toSorted((a, b) => a - b), changes }
  }

  /** All images of `find` have been compared: the next one begins there. Cut off before, they are found once more. */
  async finish({ revision }: Rematch): Promise<void> {
    await this.#metadata.transact((tx) => tx.packageIndex.putRevision(revision))
  }

  async #concealed(packages: readonly IndexedPackage[]): Promise<readonly IndexedPackage[]> {
    const conceal = await this.#vaults.concealer()
    return packages.map(({ ecosystem, name }) => ({
      ecosystem: CONCEALED,
      name: conceal(JSON.stringify([ecosystem, name])),
    }))
  }

  async #allImages(): Promise<readonly number[]> {
    const all: number[] = []
    for (;;) {
      const page = await this.#metadata.view.packageIndex.listImages({ after: all.at(-1), limit: PAGE })
      all.push(...page)
      if (page.length < PAGE) return all
    }
  }
}

function changesOf(since: number, packages: readonly IndexedPackage[]): AdvisoryChanges {
  const keyOf = (ecosystem: string, name: string) => `${ecosystem}\u0000${name}`
  const changed = new Set(packages.map(({ ecosystem, name }) => keyOf(ecosystem, name)))
  const names = new Set(packages.map(({ name }) => name))
  return {
    since,
    has: (ecosystem, name) => changed.has(keyOf(ecosystem, name)),
    hasName: (name) => names.has(name),
  }
}
