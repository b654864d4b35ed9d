import { isAbsolute, join, relative, resolve } from 'node:path'
import { BackupFailure } from '../backup/backup-format.ts'
import { VERSION } from '../config/version.ts'
import { invalidParameters } from '../domain/errors.ts'
import { Backup, type BackupReport, type BackupRequest } from '../jobs/backup.ts'
import type { Gate } from '../lib/gate.ts'
import { OWN_MASTER_KEY_FILE } from '../lib/master-key-source.ts'
import { AUDIT_DIRECTORY } from './audit-log.ts'
import type { Foundation } from './foundation.ts'

/** Below the data directory, and in a backup below `keys/`. */
export const KEY_FILES = [OWN_MASTER_KEY_FILE, 'tls/ca.key', 'tls/ca.crt'] as const

/** Backups of a registry, one after the other. */
export interface Backups {
  run(request: BackupRequest): Promise<BackupReport>
  /** Waits for the one under way; whoever calls has aborted it. */
  ended(): Promise<void>
}

export function createBackups(foundation: Foundation, deletion: Gate, signal: AbortSignal): Backups {
  const { config, metadata, stored, realClock, logger } = foundation
  const { storage } = config
  const backup = new Backup({
    metadata,
    stored,
    deletion,
    clock: realClock,
    version: VERSION,
    auditDirectory: storage.kind === 'memory' ? undefined : join(storage.path, AUDIT_DIRECTORY),
    keyFiles:
      storage.kind === 'memory'
        ? []
        : KEY_FILES.map((name) => ({ path: join(storage.path, name), as: `keys/${name}` })),
  })
  let running: Promise<unknown> = Promise.resolve()
  const run = async (request: BackupRequest) => {
    if (storage.kind === 'memory') throw invalidParameters('A registry that keeps nothing has nothing to back up.')
    check(request, resolve(storage.path))
    try {
      const report = await backup.run(request, signal)
      const { faults, ...facts } = report
      logger.info({ job: 'backup', ...facts, faults: faults.length }, 'job done')
      return report
    } catch (thrown) {
      if (thrown instanceof BackupFailure) throw invalidParameters(thrown.message)
      throw thrown
    }
  }
  return {
    run: (request) => {
      const one = run(request)
      running = Promise.allSettled([running, one])
      return one
    },
    ended: async () => void (await running),
  }
}

function check({ to, keep }: BackupRequest, dataDirectory: string): void {
  if (!isAbsolute(to)) throw invalidParameters('Name the directory of the backup by an absolute path.')
  const way = relative(dataDirectory, resolve(to))
  if (way === '' || !(way.startsWith('..') || isAbsolute(way)))
    throw invalidParameters('A backup inside the data directory would be lost with it: name another place.')
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep > 0))
    throw invalidParameters('keep must be a whole number above zero.')
}
