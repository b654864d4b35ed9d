import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import type { Logger } from '../lib/logger.ts'
import { secretOf } from '../services/secret-of.ts'
import { FileAuditLog } from '../stores/audit/files.ts'
import { MemoryAuditLog } from '../stores/audit/memory.ts'
import type { AuditLog } from '../stores/audit.ts'
import type { MetadataStore } from '../stores/metadata.ts'

/** Where the audit log lies in a data directory. */
export const AUDIT_DIRECTORY = 'audit'
const FILE_BYTES_MAX = 64 * 1024 * 1024

/** Opens the audit log that the configuration speaks of. Records have the registry's own time, files the real one's. */
export async function openAuditLog(
  { storage, audit }: Config,
  metadata: MetadataStore,
  realClock: Clock,
  ids: Ids,
  logger: Logger,
): Promise<AuditLog> {
  if (storage.kind === 'memory') return new MemoryAuditLog()
  return FileAuditLog.open(join(storage.path, AUDIT_DIRECTORY), {
    key: await secretOf(metadata, 'audit-key', ids),
    clock: realClock,
    fileBytesMax: FILE_BYTES_MAX,
    retentionMs: audit.retentionMs,
    totalBytesMax: audit.totalBytesMax,
    onSynced: (head) => metadata.transact((tx) => tx.auditHeads.put(head), { durability: 'relaxed' }),
    onFailure: (error, lostRecords) => logger.error({ error, lostRecords }, 'the audit log cannot be written'),
  })
}
