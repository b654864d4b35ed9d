import type { BlobAddress } from '../domain/vault.ts'

/** What was found in layers, packed as the analyser packs it, and sealed where it lies in a vault: once for each. */
export interface InventoryReader {
  /** What that version of the analyser found, `undefined` when it has not read the layer. */
  findFacts(layer: BlobAddress, analyserVersion: number): Promise<Uint8Array | undefined>
}

/** What is kept of a layer goes when the layer's blob is forgotten. */
export interface InventoryWriter extends InventoryReader {
  /**
   * Keeps what was found, in the place of what another version found. Does nothing when the blob is no longer recorded:
   * nobody would take it away again.
   */
  putFacts(layer: BlobAddress, analyserVersion: number, facts: Uint8Array, at: Date): Promise<void>
}
