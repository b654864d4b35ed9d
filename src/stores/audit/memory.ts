import type { AuditEntry, AuditLog, AuditReport, AuditSearch } from '../audit.ts'

/** The newest records alone, for a registry that keeps nothing. Nobody but the process could change them, so there is nothing to vouch for. */
export class MemoryAuditLog implements AuditLog {
  readonly lostRecords = 0
  readonly #recordsMax: number
  #records: AuditEntry[] = []
  #sequence = 0

  constructor(recordsMax = 10_000) {
    this.#recordsMax = recordsMax
  }

  append(record: string): void {
    this.#sequence++
    this.#records.push({ sequence: this.#sequence, record })
    if (this.#records.length >= 2 * this.#recordsMax) this.#records = this.#records.slice(-this.#recordsMax)
  }

  async *search({ before = Number.POSITIVE_INFINITY, containing }: AuditSearch): AsyncIterable<AuditEntry> {
    const records = this.#records.slice(-this.#recordsMax)
    for (const entry of records.toReversed())
      if (entry.sequence < before && containing.every((text) => entry.record.includes(text))) yield entry
  }

  async verify(): Promise<AuditReport> {
    const records = this.#records.slice(-this.#recordsMax)
    return {
      isIntact: true,
      records: records.length,
      files: 0,
      first: records[0]?.sequence,
      last: records.at(-1)?.sequence,
      faults: [],
    }
  }

  async close(): Promise<void> {}
}
