/** What an analysis found in a layer, packed; at most one row for each blob. */
export interface LayerFactsTable {
  digest: string
  /** Rows of another version than the present one are as good as none. */
  analyser_version: number
  facts: Uint8Array
  analysed_at: number
}
