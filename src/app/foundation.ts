import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { AuditTrail } from '../domain/audit/api-call.ts'
import { NO_TRAIL } from '../domain/audit/api-call.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Logger } from '../lib/logger.ts'
import { MASTER_KEY_BYTES, MasterKey, type Sealer } from '../lib/master-key.ts'
import { OWN_MASTER_KEY_FILE, readMasterKey, readOwnMasterKey } from '../lib/master-key-source.ts'
import { VirtualClock } from '../lib/virtual-clock.ts'
import { Audit } from '../services/audit/audit.ts'
import { Keyring } from '../services/encryption/keyring.ts'
import { SqliteAdvisoryStore } from '../stores/advisories/sqlite.ts'
import { CURRENT_FILE } from '../stores/advisories/staging.ts'
import type { AdvisoryStore } from '../stores/advisories.ts'
import type { AuditLog } from '../stores/audit.ts'
import { CheckedBlobStore } from '../stores/blobs/checked.ts'
import { FilesystemBlobStore } from '../stores/blobs/filesystem.ts'
import { MemoryBlobStore } from '../stores/blobs/memory.ts'
import { SealedBlobStore } from '../stores/blobs/sealed.ts'
import type { BlobDriver, BlobStore } from '../stores/blobs.ts'
import { metadataMissing } from '../stores/metadata/metadata-unusable.ts'
import { hasSealedSecrets, openMemoryMetadata, openSqliteMetadata } from '../stores/metadata/sqlite.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import { openAuditLog } from './audit-log.ts'

/** What a registry takes from the world beside its configuration. */
export interface Surroundings {
  readonly clock: Clock
  readonly ids: Ids
}

/** What all services, jobs and planes stand on. */
export interface Foundation {
  readonly config: Config
  readonly logger: Logger
  /** Everything goes by it but what others go by as well: signatures of clients, and leases. */
  readonly clock: VirtualClock
  readonly realClock: Clock
  readonly ids: Ids
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  /** The same as it lies there, what is encrypted unopened. */
  readonly stored: BlobDriver
  readonly advisories: AdvisoryStore
  /** What seals the secrets of the installation. */
  readonly sealer: Sealer
  /** What opens the vaults that `blobs` keeps. */
  readonly keyring: Keyring
  /** What happened here; absent: nothing is written down. */
  readonly auditLog: AuditLog | undefined
  readonly audit: AuditTrail
  /** Takes what went wrong on our side of a request; the answer shows the request id only. */
  report(thrown: unknown, requestId: string): void
  /** Throws when the stores cannot serve. */
  checkReady(): Promise<void>
}

/** Opens the stores; whoever calls closes them. The only place that names concrete stores. */
export async function openFoundation(config: Config, logger: Logger, world: Surroundings): Promise<Foundation> {
  const { clock: realClock, ids } = world
  const clock = new VirtualClock(realClock)
  const sealer = await masterKeyOf(config, logger, ids)
  const { metadata, driver } = await openStores(config, sealer, clock)
  const keyring = new Keyring(metadata, ids)
  const blobs = new CheckedBlobStore(new SealedBlobStore(driver, keyring))
  const auditLog = config.audit.isOn ? await openAuditLog(config, metadata, realClock, ids, logger) : undefined
  const notWritten = (error: unknown) => logger.error({ error: asError(error) }, 'a call could not be written down')
  const audit =
    auditLog === undefined ? NO_TRAIL : new Audit(auditLog, ids, config.defaultRegistry.registryId, notWritten)
  return {
    config,
    logger,
    clock,
    realClock,
    ids,
    metadata,
    blobs,
    stored: driver,
    advisories: openAdvisories(config),
    sealer,
    keyring,
    auditLog,
    audit,
    report: (thrown, requestId) => logger.error({ requestId, error: asError(thrown) }, 'request failed'),
    checkReady: async () => {
      await metadata.checkReady()
      await blobs.checkReady()
    },
  }
}

/** What was thrown, as logs take it. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}

export const METADATA_FILE = 'metadata.db'
const ADVISORIES_DIRECTORY = 'advisories'
/** Below the data directory. */
export const ADVISORY_SET = `${ADVISORIES_DIRECTORY}/${CURRENT_FILE}`

/** Nothing is read or made before it is needed. */
function openAdvisories({ storage }: Config): AdvisoryStore {
  if (storage.kind === 'memory') return SqliteAdvisoryStore.inMemory()
  return SqliteAdvisoryStore.inDirectory(join(storage.path, ADVISORIES_DIRECTORY))
}

/** The operator's, or one of the installation's own. */
async function masterKeyOf({ masterKey, storage, profile }: Config, logger: Logger, ids: Ids): Promise<MasterKey> {
  if (masterKey !== undefined) return readMasterKey(masterKey)
  if (storage.kind === 'memory') return new MasterKey(ids.secret(MASTER_KEY_BYTES))
  const file = join(storage.path, OWN_MASTER_KEY_FILE)
  const key = await readOwnMasterKey(file, () => hasSealedSecrets(join(storage.path, METADATA_FILE)))
  if (profile === 'server')
    logger.warn({ file }, 'the master key lies beside the data it protects; ECRU_MASTER_KEY_FILE puts it elsewhere')
  return key
}

/** In itself, or in the log beside it. */
function hasContent(file: string): boolean {
  return [file, `${file}-wal`].some((one) => (statSync(one, { throwIfNoEntry: false })?.size ?? 0) > 0)
}

async function isAnyIn(list: AsyncIterable<unknown>): Promise<boolean> {
  for await (const _ of list) return true
  return false
}

async function openStores(
  { storage }: Config,
  masterKey: MasterKey,
  clock: Clock,
): Promise<{ readonly metadata: MetadataStore; readonly driver: BlobDriver }> {
  if (storage.kind === 'memory')
    return { metadata: await openMemoryMetadata(masterKey), driver: new MemoryBlobStore({ clock }) }
  const file = join(storage.path, METADATA_FILE)
  const driver = await FilesystemBlobStore.open(storage.path, { clock })
  if (!hasContent(file) && (await isAnyIn(driver.list()))) throw metadataMissing(file)
  return { metadata: await openSqliteMetadata(file, masterKey), driver }
}
