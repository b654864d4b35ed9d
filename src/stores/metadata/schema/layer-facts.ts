/** What an analysis found in a layer, packed, and sealed if it lies in a vault; at most one row for each blob and vault. */
export interface LayerFactsTable {
  digest: string
  vault: string
  /** Rows of another version than the present one are as good as none. */
  analyser_version: number
  facts: Uint8Array
  analysed_at: number
}
