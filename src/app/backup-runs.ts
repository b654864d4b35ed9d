import { existsSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve } from 'node:path'
import { ArchiveTarget } from '../backup/archive-target.ts'
import { BackupFolder } from '../backup/backup-folder.ts'
import { BackupFailure } from '../backup/backup-format.ts'
import { syncDirectory, writeDurably } from '../backup/durable-files.ts'
import { FolderTarget } from '../backup/folder-target.ts'
import { VERSION } from '../config/version.ts'
import { invalidParameters } from '../domain/errors.ts'
import { Backup, type BackupReport, type BackupRequest } from '../jobs/backup.ts'
import type { Compression } from '../lib/decompressed.ts'
import type { Gate } from '../lib/gate.ts'
import { OWN_MASTER_KEY_FILE } from '../lib/master-key-source.ts'
import { compressionByName, packed } from '../lib/packed.ts'
import { NobodyReads, PushedStream } from '../lib/pushed-stream.ts'
import { installationId } from '../services/credentials/installation-id.ts'
import { AUDIT_DIRECTORY } from './audit-log.ts'
import { ADVISORY_SET, type Foundation } from './foundation.ts'

/** Below the data directory, and in a backup below `keys/`. */
export const KEY_FILES = [OWN_MASTER_KEY_FILE, 'tls/ca.key', 'tls/ca.crt'] as const

/** Below the data directory while an archive is written: the copy of the records on its way. */
const SCRATCH_FILE = 'backup-records.db'

/** A backup to a place of this machine. */
export interface BackupOrder extends BackupRequest {
  /** A directory, or (`….tar`, `….tar.gz`, `….tar.zst`) an archive, by an absolute path. */
  readonly to: string
  /** So many snapshots are kept in the directory; absent: all. */
  readonly keep?: number | undefined
  /** What an earlier backup has brought is read again, and replaced when it is damaged. */
  readonly isThorough: boolean
}

/** A backup that is read as it is made. */
export interface StreamedBackup {
  /** A tar archive; it ends with a failure when the backup does. */
  readonly body: AsyncGenerator<Uint8Array, void, void>
  readonly ended: Promise<BackupReport>
}

/** Backups of a registry, one after the other. */
export interface Backups {
  run(order: BackupOrder): Promise<BackupReport & { readonly to: string }>
  /** Whoever asks reads it to the end, or leaves it. */
  stream(request: BackupRequest): Promise<StreamedBackup>
  /** Waits for the one under way; whoever calls has aborted it. */
  ended(): Promise<void>
}

/** Makes backups. Loaded when the first one is asked for. */
export function openBackups(foundation: Foundation, deletion: Gate, signal: AbortSignal): Backups {
  const { config, metadata, stored, realClock, ids, logger } = foundation
  const { storage } = config
  const inData = (...names: string[]) => (storage.kind === 'memory' ? '' : join(storage.path, ...names))
  const backup = new Backup({
    metadata,
    stored,
    deletion,
    clock: realClock,
    version: VERSION,
    auditDirectory: storage.kind === 'memory' ? undefined : inData(AUDIT_DIRECTORY),
    advisoryFiles: [{ path: inData(ADVISORY_SET), as: ADVISORY_SET }],
    keyFiles: KEY_FILES.map((name) => ({ path: inData(name), as: `keys/${name}` })),
  })
  let running: Promise<unknown> = Promise.resolve()

  /** Counts as the one under way, is written to the log, and fails in words. */
  const logged = <T extends BackupReport>(work: () => Promise<T>): Promise<T> => {
    const one = (async () => {
      if (storage.kind === 'memory') throw invalidParameters('A registry that keeps nothing has nothing to back up.')
      try {
        const report = await work()
        const { faults, ...facts } = report
        logger.info({ job: 'backup', ...facts, faults: faults.length }, 'job done')
        return report
      } catch (thrown) {
        if (thrown instanceof BackupFailure) throw invalidParameters(thrown.message)
        throw thrown
      }
    })()
    running = Promise.allSettled([running, one])
    return one
  }

  const toArchive = async (stream: PushedStream, request: BackupRequest): Promise<BackupReport> => {
    try {
      const open = async () => new ArchiveTarget((bytes) => stream.write(bytes), inData(SCRATCH_FILE), signal)
      const report = await backup.run(open, request, signal)
      stream.end()
      return report
    } catch (error) {
      stream.end({ error })
      throw error
    }
  }

  return {
    run: (order) =>
      logged(async () => {
        const { to } = order
        check(order, resolve(inData()))
        const compression = compressionByName(to)
        if (compression !== undefined)
          return { to, ...(await writeArchive(to, compression, (stream) => toArchive(stream, order), signal)) }
        const installation = await installationId(metadata, ids)
        const open = async () => new FolderTarget(await BackupFolder.prepare(to), { ...order, signal, installation })
        return { to, ...(await backup.run(open, order, signal).catch((error: unknown) => cannotWrite(to, error))) }
      }),
    stream: async (request) => {
      const stream = new PushedStream()
      const ended = logged(() => toArchive(stream, request))
      // Whoever reads the stream hears of it there.
      ended.catch((error: unknown) => stream.end({ error }))
      return { body: stream.bytes(), ended }
    },
    ended: async () => void (await running),
  }
}

/** An archive of that name is whole whenever there is one. */
async function writeArchive(
  to: string,
  compression: Compression,
  produce: (stream: PushedStream) => Promise<BackupReport>,
  signal: AbortSignal,
): Promise<BackupReport> {
  if (existsSync(to)) throw new BackupFailure(`There is ${to} already: an archive is one backup, so name another file.`)
  if (!existsSync(dirname(to))) throw new BackupFailure(`There is no directory ${dirname(to)}.`)
  const part = `${to}.part`
  const stream = new PushedStream()
  const writing = writeDurably(part, packed(stream.bytes(), compression), signal)
  // A disk that is full or not to be written to ends the one who writes.
  writing.catch(() => stream.leave())
  try {
    const [report] = await Promise.all([unlessLeft(produce(stream)), writing])
    if (report === undefined) throw new Error('The archive was not written.')
    await rename(part, to)
    await syncDirectory(dirname(to))
    return report
  } catch (error) {
    await writing.catch(() => undefined)
    await rm(part, { force: true }).catch(() => undefined)
    return cannotWrite(to, error)
  }
}

/** `undefined`: the one who reads has gone, and knows why. */
async function unlessLeft<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (error instanceof NobodyReads) return undefined
    throw error
  }
}

/** A place that is full, or gone, is the operator's business. */
function cannotWrite(to: string, error: unknown): never {
  if (isSystemError(error))
    throw new BackupFailure(`Nothing can be written to ${to}: ${error.message}`, { cause: error })
  throw error
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}

function check({ to, keep, isThorough }: BackupOrder, dataDirectory: string): void {
  if (!isAbsolute(to)) throw invalidParameters('Name the place of the backup by an absolute path.')
  const way = relative(dataDirectory, resolve(to))
  if (way === '' || !(way.startsWith('..') || isAbsolute(way)))
    throw invalidParameters('A backup inside the data directory would be lost with it: name another place.')
  if (keep !== undefined && !(Number.isSafeInteger(keep) && keep > 0))
    throw invalidParameters('keep must be a whole number above zero.')
  if ((keep !== undefined || isThorough) && compressionByName(to) !== undefined)
    throw invalidParameters('keep and thorough are for directories of backups: an archive is one backup.')
}
