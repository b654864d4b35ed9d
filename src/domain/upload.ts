/** A layer upload that has begun and is neither complete nor cancelled. */
export interface Upload {
  /** The UUID that clients see. */
  readonly id: string
  readonly repositoryId: number
  /** What the blob store calls the staged bytes. */
  readonly key: string
  readonly startedAt: Date
  /** Moves with every part, so that only abandoned uploads expire. */
  readonly touchedAt: Date
  /** The size of the newest part that came by UploadLayerPart or PATCH; absent before the first. */
  readonly lastPartBytes?: number | undefined
  /** How many such parts came; absent before the first. */
  readonly partCount?: number | undefined
}
