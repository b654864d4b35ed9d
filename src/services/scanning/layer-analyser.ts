import type { Digest } from '../../domain/digest.ts'
import type { MergedLayers } from '../../domain/inventory/merge.ts'
import type { FileKind } from '../../domain/inventory/selection.ts'

/** A layer of an image: how it is called, how it is packed, and a way to its bytes. */
export interface ImageLayer {
  readonly digest: Digest
  readonly mediaType: string
  /** The packed bytes from their beginning; may be called more than once. Its failures pass unchanged. */
  open(): Promise<ReadableStream<Uint8Array>> | ReadableStream<Uint8Array>
}

/** What a layer says, packed as the analyser that found it keeps it. */
export type SealedFacts = Uint8Array

/** Reads layers beside the process's main work, and puts together what was found. */
export interface LayerAnalyser {
  /**
   * Reads a layer to its end. `wanted`: files to be read beside those that are read anyway, with what they are read as.
   * Throws `layer-unreadable`, `layer-too-large`, `layer-type-unsupported`, `analysis-timed-out`, `analysis-crashed`,
   * and the signal's reason.
   */
  analyse(layer: ImageLayer, wanted: ReadonlyMap<string, FileKind>, signal: AbortSignal): Promise<SealedFacts>
  /** Puts layers together, the lowest first. Throws `layer-unreadable` and the same failures of the work itself. */
  merge(
    layers: readonly { readonly digest: Digest; readonly facts: SealedFacts }[],
    signal: AbortSignal,
  ): Promise<MergedLayers>
}
