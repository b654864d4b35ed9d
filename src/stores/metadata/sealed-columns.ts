import { sql } from 'kysely'
import { SealBroken, type Sealer } from '../../lib/master-key.ts'
import { MasterKeyUnavailable } from '../../lib/master-key-source.ts'
import type { Database } from './schema/database.ts'

/** A column whose values are sealed, and for what: the context takes part in the seal, so that none passes for another. */
interface SealedColumn {
  readonly table: string
  /** Which tell the rows apart. */
  readonly keys: readonly string[]
  readonly column: string
  /** Of the values of these columns. */
  readonly contextOf: (first: string, second: string) => string
  /** `text` holds base64. */
  readonly type: 'bytes' | 'text'
}

export const accessKeyContext = (accessKeyId: string) => `access-key ${accessKeyId}`
export const sessionContext = (accessKeyId: string) => `session ${accessKeyId}`
export const secretContext = (name: string) => `secret ${name}`
export const versionContext = (secretId: string, versionId: string) => `managed-secret ${secretId}/${versionId}`
export const materialContext = (materialId: string) => `kms-material ${materialId}`

/** All of them: what is not here would not be opened by the next master key. */
const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: 'access_keys',
    keys: ['access_key_id'],
    column: 'secret_access_key',
    contextOf: accessKeyContext,
    type: 'text',
  },
  {
    table: 'sessions',
    keys: ['access_key_id'],
    column: 'secret_access_key',
    contextOf: sessionContext,
    type: 'text',
  },
  { table: 'secrets', keys: ['name'], column: 'value', contextOf: secretContext, type: 'bytes' },
  { table: 'kms_key_materials', keys: ['material_id'], column: 'sealed', contextOf: materialContext, type: 'bytes' },
  {
    table: 'managed_secret_versions',
    keys: ['secret_id', 'version_id'],
    column: 'sealed',
    contextOf: versionContext,
    type: 'bytes',
  },
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

interface SealedRow {
  readonly first: string | number
  readonly second: string | number
  readonly value: Uint8Array | string
}

/** Seals every secret with the current key, inside the caller's transaction. Answers how many. */
export async function sealAll(db: Database, sealer: Sealer, from: Exclude<SealState, 'current'>): Promise<number> {
  let count = 0
  for (const { table, keys, column, contextOf, type } of SEALED_COLUMNS) {
    const [first = '', second = first] = keys
    const { rows } = await sql<SealedRow>`
      select ${sql.ref(first)} as first, ${sql.ref(second)} as second, ${sql.ref(column)} as value
      from ${sql.table(table)} where ${sql.ref(column)} is not null`.execute(db)
    for (const row of rows) {
      const context = contextOf(String(row.first), String(row.second))
      const known = bytesOf(row.value, from === 'unsealed' ? 'utf8' : 'base64')
      const plaintext = from === 'unsealed' ? known : sealer.open(known, context)
      const sealed = sealer.seal(plaintext, context)
      const value = type === 'text' ? sealed.toBase64() : sealed
      await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${value}
        where ${sql.ref(first)} = ${row.first} and ${sql.ref(second)} = ${row.second}`.execute(db)
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
