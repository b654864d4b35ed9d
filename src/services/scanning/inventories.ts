import type { Digest } from '../../domain/digest.ts'
import { ANALYSER_VERSION } from '../../domain/inventory/analyser-version.ts'
import type { Inventory } from '../../domain/inventory/package.ts'
import type { Vault } from '../../domain/vault.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Vaults } from '../encryption/vaults.ts'
import type { ImageLayer, LayerAnalyser, SealedFacts } from './layer-analyser.ts'

/** A layer of an image in a repository. */
export interface VaultLayer extends ImageLayer {
  /** Where what it says is kept: the vault of the repository. */
  readonly vault: Vault
}

/**
 * What is in images. Each layer is read once, whichever images share it: what it says is kept by its digest, in the
 * vault of the repository that holds the image, until the analyser finds more than it did, or the layer is forgotten.
 */
export class Inventories {
  readonly #metadata: MetadataStore
  readonly #analyser: LayerAnalyser
  readonly #clock: Clock
  readonly #vaults: Vaults
  /** Layers being read, so that nobody begins with one a second time. */
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor(metadata: MetadataStore, analyser: LayerAnalyser, clock: Clock, vaults: Vaults) {
    this.#metadata = metadata
    this.#vaults = vaults
    this.#analyser = analyser
    this.#clock = clock
  }

  /**
   * The inventory of one image from its layers, the lowest first. The caller has authorised it.
   * Throws `layer-unreadable` (cut off, damaged, no archive, or a package database that cannot be read),
   * `layer-too-large` (archive bombs), `layer-type-unsupported`, `analysis-timed-out`, `analysis-crashed`, the signal's
   * reason, and what `open` throws. After a failure nothing of it is kept; layers that were read before it are.
   */
  async inventoryOf(layers: readonly VaultLayer[], signal: AbortSignal): Promise<Inventory> {
    const analysed: { digest: Digest; facts: SealedFacts }[] = []
    for (const layer of layers) analysed.push({ digest: layer.digest, facts: await this.#factsOf(layer, signal) })
    const { inventory, wanted } = await this.#analyser.merge(analysed, signal)
    if (wanted.size === 0) return inventory

    // A database is a link to a file that nobody would look for: so it is looked for, in every layer. This is not kept,
    // since it belongs to these layers together.
    const again: { digest: Digest; facts: SealedFacts }[] = []
    for (const layer of layers)
      again.push({ digest: layer.digest, facts: await this.#analyser.analyse(layer, wanted, signal) })
    return (await this.#analyser.merge(again, signal)).inventory
  }

  async #factsOf(layer: VaultLayer, signal: AbortSignal): Promise<SealedFacts> {
    const { digest, vault } = layer
    const key = `${vault} ${digest}`
    for (;;) {
      const kept = await this.#metadata.view.inventories.findFacts(layer, ANALYSER_VERSION)
      if (kept !== undefined) return await this.#vaults.open(vault, contextOf(digest), kept)
      const other = this.#underWay.get(key)
      if (other === undefined) break
      // Its failure is its caller's; then this caller tries for itself.
      await other.catch(() => {})
      signal.throwIfAborted()
    }
    const work = this.#read(layer, signal)
    this.#underWay.set(key, work)
    try {
      return await work
    } finally {
      this.#underWay.delete(key)
    }
  }

  async #read(layer: VaultLayer, signal: AbortSignal): Promise<SealedFacts> {
    const { digest, vault } = layer
    const facts = await this.#analyser.analyse(layer, new Map(), signal)
    const kept = await this.#vaults.seal(vault, contextOf(digest), facts)
    const at = this.#clock.now()
    await this.#metadata.transact(
      ({ inventories }) => inventories.putFacts({ digest, vault }, ANALYSER_VERSION, kept, at),
      { durability: 'relaxed' },
    )
    return facts
  }
}

function contextOf(digest: Digest): string {
  return `facts of layer ${digest}`
}
