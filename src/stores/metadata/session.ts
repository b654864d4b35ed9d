import type { Database } from './schema/database.ts'

/** Where queries run: straight on a reading connection, or inside a snapshot or transaction. */
export interface Session {
  /** For single statements. */
  readonly db: Database
  /** For several statements that must see one state: inside a snapshot or transaction they do anyway. */
  atOnce<T>(work: (db: Database) => Promise<T>): Promise<T>
  /** Says that the transaction changes who may do what; a session that only reads never does. */
  notePolicyChange(): void
}
