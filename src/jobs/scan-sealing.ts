import { isRegistryError } from '../domain/errors.ts'
import type { Inventory } from '../domain/inventory/package.ts'
import type { Rematching } from '../services/advisories/rematching.ts'
import type { KeptFindings } from '../services/scanning/kept-findings.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { ClearImage, KeptPart } from '../stores/scans.ts'
import type { Pace } from './pace.ts'

const STEP = 50

/**
 * Seals what scans have found in images of repositories with a key of KMS, where an earlier version has left it in clear.
 * Looks once in the life of a process: nothing is written in clear any more. What the key cannot be used for now is left to
 * the next process.
 */
export class ScanSealing {
  readonly #metadata: MetadataStore
  readonly #kept: KeptFindings
  readonly #rematching: Rematching
  #isDue = true

  constructor(metadata: MetadataStore, kept: KeptFindings, rematching: Rematching) {
    this.#metadata = metadata
    this.#kept = kept
    this.#rematching = rematching
  }

  isDue(): boolean {
    return this.#isDue
  }

  /** Answers of how many images something was sealed. Cut off, it goes on with those that are left. */
  async run(pace: Pace, prove: (tx: MetadataWriter) => Promise<void>): Promise<number> {
    if (!this.#isDue) return 0
    let count = 0
    for (let after = 0; ; ) {
      const page = await this.#metadata.view.scans.listInClear({ after, limit: STEP })
      for (const image of page) {
        if (await this.#seal(image, prove)) count++
        after = image.imageId
        await pace.rest()
      }
      if (page.length < STEP) break
    }
    this.#isDue = false
    return count
  }

  async #seal(
    { imageId, repository, scans }: ClearImage,
    prove: (tx: MetadataWriter) => Promise<void>,
  ): Promise<boolean> {
    const { view } = this.#metadata
    try {
      const inventory = await this.#kept.findInventory(view, repository, imageId)
      const sealed = inventory && (await this.#sealedInventory(imageId, repository, inventory))
      const parts = new Map<number, readonly KeptPart[]>()
      for (const { id } of scans) {
        const kept = await view.scans.listParts(id, 0, Number.MAX_SAFE_INTEGER)
        parts.set(id, await this.#kept.sealed(repository, id, kept))
      }
      await this.#metadata.transact(async (tx) => {
        await prove(tx)
        const present = new Map((await tx.scans.listOfImages([imageId])).map(({ scan }) => [scan.id, scan.generation]))
        // Another scan has put its own in their place.
        for (const { id, generation } of scans)
          if (present.get(id) === generation) await tx.scans.replaceParts(id, parts.get(id) ?? [])
        if (sealed === undefined) await tx.scans.forgetInventory(imageId)
        else {
          await tx.scans.putInventory(imageId, sealed.analyserVersion, sealed.document)
          await tx.packageIndex.put(imageId, sealed.keys)
        }
      })
      return true
    } catch (thrown) {
      if (!isRegistryError(thrown, 'kms-key-unusable')) throw thrown
      return false
    }
  }

  async #sealedInventory(imageId: number, repository: ClearImage['repository'], inventory: Inventory) {
    return {
      analyserVersion: inventory.analyserVersion,
      document: await this.#kept.sealInventory(repository, imageId, inventory),
      keys: await this.#rematching.keysOf(repository, inventory),
    }
  }
}
