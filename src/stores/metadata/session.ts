import type { Sealer } from '../../lib/master-key.ts'
import type { Database } from './schema/database.ts'

/** Where queries run: straight on a reading connection, or inside a snapshot or transaction. */
export interface Session {
  /** For single statements. */
  readonly db: Database
  /** Secrets pass through it on their way in and out. */
  readonly sealer: Sealer
  /** For several statements that must see one state: inside a snapshot or transaction they do anyway. */
  atOnce<T>(work: (db: Database) => Promise<T>): Promise<T>
  /** Says that the transaction changes who may do what; a session that only reads never does. */
  notePolicyChange(): void
  /** Says that the transaction appends to the outbox. */
  noteEvents(): void
}
