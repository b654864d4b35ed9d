import type { Kysely, Migration } from 'kysely'

/** For which architecture a scanned image is. Scans of before say it once they are done again. */
export const scannedArchitecture: Migration = {
  async up(db: Kysely<unknown>): Promise<void> {
    await db.schema.alterTable('image_scans').addColumn('architecture', 'text').execute()
  },
}
