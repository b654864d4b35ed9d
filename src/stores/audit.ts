/** One record with its place in the log. */
export interface AuditEntry {
  readonly sequence: number
  /** JSON. */
  readonly record: string
}

/** Where a log stood at some moment: its last record, and what the chain had come to. */
export interface AuditHead {
  readonly sequence: number
  readonly mac: string
}

/** Where it is remembered how far the log has come. */
export interface AuditHeadReader {
  find(): Promise<AuditHead | undefined>
}

export interface AuditHeadWriter extends AuditHeadReader {
  put(head: AuditHead): Promise<void>
}

/** What somebody looks for. */
export interface AuditSearch {
  /** Newest first from here on; absent: from the end. */
  readonly before?: number | undefined
  /** Nothing older is of interest. */
  readonly since?: Date | undefined
  /** Texts that every record of interest contains: records without are skipped unread. */
  readonly containing: readonly string[]
}

/** What a check of the whole log found. */
export interface AuditReport {
  readonly isIntact: boolean
  readonly records: number
  readonly files: number
  /** The sequence numbers of the oldest and the newest record that is there; absent in an empty log. */
  readonly first?: number | undefined
  readonly last?: number | undefined
  /** Whole sentences. */
  readonly faults: readonly string[]
}

/**
 * An append-only log in which every record vouches for all before it: each carries a code made with a secret from its own
 * text and the code of the one before, so that nothing can be changed, taken out or put in unseen.
 */
export interface AuditLog {
  /** How many records were lost since the log was opened, because they could not even be kept in memory. */
  readonly lostRecords: number
  /** Takes a record (JSON, one line). Costs microseconds; it is written at once and safe from a power loss within a second. */
  append(record: string): void
  /** Newest first. Ends by itself at the oldest record that is kept. */
  search(search: AuditSearch): AsyncIterable<AuditEntry>
  /** Reads everything again. `head`: where the log has been before, to see whether its end was cut off. */
  verify(head: AuditHead | undefined): Promise<AuditReport>
  /** Writes and syncs what was taken. Twice is harmless. */
  close(): Promise<void>
}
