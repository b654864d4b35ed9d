/**
 * Inflates what is packed inside of files; how is not the domain's matter. Both throw `MalformedFile` for what cannot be
 * inflated or is more than `maxBytes`, and `layer-too-large` when a layer has had more inflated than its budget.
 */
export interface Inflater {
  /** Deflate without a frame, as in zip archives. */
  raw(compressed: Uint8Array, maxBytes: number): Uint8Array
  /** Deflate in a zlib frame. */
  zlib(compressed: Uint8Array, maxBytes: number): Uint8Array
}
