import { sql } from 'kysely'
import { SealBroken, type Sealer } from '../../lib/master-key.ts'
import { MasterKeyUnavailable } from '../../lib/master-key-source.ts'
import type { Database } from './schema/database.ts'

/** A column whose values are sealed, and for what: the context takes part in the seal, so that none passes for another. */
interface SealedColumn {
  readonly table: string
  /** Which tells the rows apart. */
  readonly key: string
  readonly column: string
  readonly contextOf: (key: string) => string
  /** `text` holds base64. */
  readonly type: 'bytes' | 'text'
}

export const accessKeyContext = (accessKeyId: string) => `access-key ${accessKeyId}`
export const sessionContext = (accessKeyId: string) => `session ${accessKeyId}`
export const secretContext = (name: string) => `secret ${name}`
export const materialContext = (materialId: string) => `kms-material ${materialId}`

/** All of them: what is not here would not be opened by the next master key. */
const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: 'access_keys',
    key: 'access_key_id',
    column: 'secret_access_key',
    contextOf: accessKeyContext,
    type: 'text',
  },
  {
    table: 'sessions',
    key: 'access_key_id',
    column: 'secret_access_key',
    contextOf: sessionContext,
    type: 'text',
  },
  { table: 'secrets', key: 'name', column: 'value', contextOf: secretContext, type: 'bytes' },
  { table: 'kms_key_materials', key: 'material_id', column: 'sealed', contextOf: materialContext, type: 'bytes' },
]

/** A secret that is none: whoever opens it has the right master key. It is there once everything is sealed. */
const CHECK = 'master-key-check'
const CHECK_VALUE = new TextEncoder().encode('ecru')

/** Whether the secrets are sealed, and under which key. */
export type SealState = 'unsealed' | 'current' | 'earlier-key'

/** Whether there are secrets that some master key has sealed; also asked of a file that has no tables yet. */
export async function isSealed(db: Database): Promise<boolean> {
  const tables = await db.introspection.getTables()
  return tables.some(({ name }) => name === 'secrets') && (await checkOf(db)) !== undefined
}

/** Throws `MasterKeyUnavailable` when they are sealed with a key that is not at hand. */
export async function sealStateOf(db: Database, sealer: Sealer): Promise<SealState> {
  const row = await checkOf(db)
  if (row === undefined) return 'unsealed'
  try {
    sealer.open(row.value, secretContext(CHECK))
  } catch (cause) {
    if (!(cause instanceof SealBroken)) throw cause
    throw new MasterKeyUnavailable(
      `The master key does not open the secrets in the metadata: ${cause.message}. Give the key that they were sealed with.`,
    )
  }
  return sealer.isCurrent(row.value) ? 'current' : 'earlier-key'
}

/** Seals every secret with the current key, inside the caller's transaction. Answers how many. */
export async function sealAll(db: Database, sealer: Sealer, from: Exclude<SealState, 'current'>): Promise<number> {
  let count = 0
  for (const { table, key, column, contextOf, type } of SEALED_COLUMNS) {
    const { rows } = await sql<{ key: string; value: Uint8Array | string }>`
      select ${sql.ref(key)} as key, ${sql.ref(column)} as value from ${sql.table(table)}
      where ${sql.ref(column)} is not null`.execute(db)
    for (const row of rows) {
      const known = bytesOf(row.value, from === 'unsealed' ? 'utf8' : 'base64')
      const plaintext = from === 'unsealed' ? known : sealer.open(known, contextOf(row.key))
      const sealed = sealer.seal(plaintext, contextOf(row.key))
      const value = type === 'text' ? sealed.toBase64() : sealed
      await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${value} where ${sql.ref(key)} = ${row.key}`.execute(
        db,
      )
      count++
    }
  }
  if (from === 'unsealed') {
    const value = sealer.seal(CHECK_VALUE, secretContext(CHECK))
    await db.insertInto('secrets').values({ name: CHECK, value }).execute()
  }
  return count
}

function checkOf(db: Database): Promise<{ readonly value: Uint8Array } | undefined> {
  return db.selectFrom('secrets').select('value').where('name', '=', CHECK).executeTakeFirst()
}

function bytesOf(value: Uint8Array | string, encoding: 'utf8' | 'base64'): Uint8Array {
  return typeof value === 'string' ? new Uint8Array(Buffer.from(value, encoding)) : value
}
