import type { Digest } from '../domain/digest.ts'
import { ANALYSER_VERSION } from '../domain/inventory/analyser-version.ts'
import type { Inventory } from '../domain/inventory/package.ts'
import type { Clock } from '../lib/clock.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import type { ImageLayer, LayerAnalyser, SealedFacts } from './layer-analyser.ts'

export type { ImageLayer } from './layer-analyser.ts'

/**
 * What is in images. Each layer is read once, whichever images share it: what it says is kept by its digest until the
 * analyser finds more than it did, or the layer is forgotten.
 */
export class Inventories {
  readonly #metadata: MetadataStore
  readonly #analyser: LayerAnalyser
  readonly #clock: Clock
  /** Layers being read, so that nobody begins with one a second time. */
  readonly #underWay = new Map<Digest, Promise<unknown>>()

  constructor(metadata: MetadataStore, analyser: LayerAnalyser, clock: Clock) {
    this.#metadata = metadata
    this.#analyser = analyser
    this.#clock = clock
  }

  /**
   * The inventory of one image from its layers, the lowest first. The caller has authorised it.
   * Throws `layer-unreadable` (cut off, damaged, no archive, or a package database that cannot be read),
   * `layer-too-large` (archive bombs), `layer-type-unsupported`, `analysis-timed-out`, `analysis-crashed`, the signal's
   * reason, and what `open` throws. After a failure nothing of it is kept; layers that were read before it are.
   */
  async inventoryOf(layers: readonly ImageLayer[], signal: AbortSignal): Promise<Inventory> {
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

  async #factsOf(layer: ImageLayer, signal: AbortSignal): Promise<SealedFacts> {
    for (;;) {
      const kept = await this.#metadata.view.inventories.findFacts(layer.digest, ANALYSER_VERSION)
      if (kept !== undefined) return kept
      const other = this.#underWay.get(layer.digest)
      if (other === undefined) break
      // Its failure is its caller's; then this caller tries for itself.
      await other.catch(() => {})
      signal.throwIfAborted()
    }
    const work = this.#read(layer, signal)
    this.#underWay.set(layer.digest, work)
    try {
      return await work
    } finally {
      this.#underWay.delete(layer.digest)
    }
  }

  async #read(layer: ImageLayer, signal: AbortSignal): Promise<SealedFacts> {
    const facts = await this.#analyser.analyse(layer, new Map(), signal)
    const at = this.#clock.now()
    await this.#metadata.transact(
      ({ inventories }) => inventories.putFacts(layer.digest, ANALYSER_VERSION, facts, at),
      { durability: 'relaxed' },
    )
    return facts
  }
}
