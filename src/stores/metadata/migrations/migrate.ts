import { type Kysely, type Migration, Migrator, sql } from 'kysely'
import { MetadataUnusable } from '../metadata-unusable.ts'
import { registry } from './001-registry.ts'
import { storageClass } from './002-storage-class.ts'
import { lifecycle } from './003-lifecycle.ts'
import { policies } from './004-policies.ts'
import { publicRegistries } from './005-public-registries.ts'
import { signing } from './006-signing.ts'
import { iam } from './007-iam.ts'
import { sessions } from './008-sessions.ts'
import { keys } from './009-keys.ts'
import { vaults } from './010-vaults.ts'
import { inventories } from './011-inventories.ts'
import { packageIndex } from './012-package-index.ts'
import { audit } from './013-audit.ts'
import { scans } from './014-scans.ts'
import { events } from './015-events.ts'
import { pullThrough } from './016-pull-through.ts'
import { replication } from './017-replication.ts'
import { metrics } from './018-metrics.ts'
import { admission } from './019-admission.ts'
import { replicationExtensions } from './021-replication-extensions.ts'
import { scanSecrecy } from './023-scan-secrecy.ts'
import { publicPulls } from './024-public-pulls.ts'
import { scannedArchitecture } from './026-scanned-architecture.ts'

const MIGRATION_TABLE = 'kysely_migration'

/** Every migration by name, in the order of the names. Published ones never change. */
export const migrations: Readonly<Record<string, Migration>> = {
  '001-registry': registry,
  '002-storage-class': storageClass,
  '003-lifecycle': lifecycle,
  '004-policies': policies,
  '005-public-registries': publicRegistries,
  '006-signing': signing,
  '007-iam': iam,
  '008-sessions': sessions,
  '009-keys': keys,
  '010-vaults': vaults,
  '011-inventories': inventories,
  '012-package-index': packageIndex,
  '013-audit': audit,
  '014-scans': scans,
  '015-events': events,
  '017-replication': replication,
  '016-pull-through': pullThrough,
  '018-metrics': metrics,
  '019-admission': admission,
  '021-replication-extensions': replicationExtensions,
  '023-scan-secrecy': scanSecrecy,
  '024-public-pulls': publicPulls,
  '026-scanned-architecture': scannedArchitecture,
}

/**
 * Brings the tables up to date, all or nothing.
 * Throws when the database was made by a newer version, whose tables this one does not know.
 */
export async function migrate<Tables>(db: Kysely<Tables>): Promise<void> {
  const applied = await appliedMigrations(db)
  const unknown = applied.find((name) => !(name in migrations))
  if (unknown !== undefined)
    throw new MetadataUnusable(
      `The metadata was written by a newer version of Ecru (its tables are at "${unknown}", this version knows none ` +
        'of that name). Start the newer version, or restore a backup made before the upgrade.',
    )
  if (applied.length === Object.keys(migrations).length) return
  const provider = { getMigrations: async () => ({ ...migrations }) }
  // One that came in after another with a higher number is made up for: none needs what has a higher number than itself.
  const migrator = new Migrator({ db, provider, allowUnorderedMigrations: true })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

async function appliedMigrations<Tables>(db: Kysely<Tables>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true })
  if (!tables.some(({ name }) => name === MIGRATION_TABLE)) return []
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(MIGRATION_TABLE)} order by name`.execute(db)
  return rows.map(({ name }) => name)
}
