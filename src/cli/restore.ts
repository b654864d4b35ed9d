import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { RestoreReport } from '../app/restore.ts'
import type { CheckReport } from '../backup/checked-snapshot.ts'
import { readConfig, type Texts } from '../config/config.ts'
import { isRegistryError } from '../domain/errors.ts'
import { systemClock } from '../lib/clock.ts'
import { lockDataDirectory } from './data-lock.ts'
import type { Flags, Invocation } from './invocation.ts'
import { printReport } from './jobs.ts'
import { type Progress, progressOn } from './progress.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

/** Standard input. */
const INPUT = '-'

/** `ecru restore`: a backup into an empty data directory, or (`--verify-only`) a look whether it could be. Answers 1 when something in it is damaged. */
export async function restore(backup: string, { options, flags, terminal }: Invocation): Promise<number> {
  return await spoken(async () => {
    if (flags.list === true) return await list(directoryAt(backup), flags, terminal)
    const progress = progressOn(terminal, flags.json !== true)
    const report =
      flags.verifyOnly === true
        ? await look(backup, snapshotOf(flags), terminal, progress)
        : await restoreHere(options, backup, flags, terminal, progress)
    progress.end()
    printReport(report, flags.json === true, terminal)
    explain(report, terminal)
    return report.damaged.length === 0 ? EXIT.ok : EXIT.failed
  })
}

/** `ecru backup verify`: reads all snapshots of a backup, what they share once. Answers 1 when something in them is damaged. */
export async function verifyBackup(flags: Flags, backup: string, terminal: Terminal): Promise<number> {
  return await spoken(async () => {
    const progress = progressOn(terminal, flags.json !== true)
    const report = await look(backup, snapshotOf(flags) ?? 'all', terminal, progress)
    progress.end()
    printReport(report, flags.json === true, terminal)
    if (report.damaged.length > 0 && isDirectory(backup))
      terminal.err('The next backup to this directory stores anew what is damaged, if the registry still has it.\n')
    return report.damaged.length === 0 ? EXIT.ok : EXIT.failed
  })
}

function isFull(thrown: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes(String((thrown as NodeJS.ErrnoException).code))
}

const snapshotOf = ({ snapshot }: Flags) => (typeof snapshot === 'string' ? snapshot : undefined)

async function spoken(work: () => Promise<number>): Promise<number> {
  try {
    return await work()
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'BackupFailure')
      throw new CommandFailure(thrown.message, { cause: thrown })
    if (isRegistryError(thrown, 'storage-full') || isFull(thrown))
      throw new CommandFailure(
        'There is no room for the rest: once there is, run it again, and it goes on where it was.',
        {
          cause: thrown,
        },
      )
    throw thrown
  }
}

function isDirectory(backup: string): boolean {
  return backup !== INPUT && statSync(backup, { throwIfNoEntry: false })?.isDirectory() === true
}

function directoryAt(backup: string): string {
  if (!isDirectory(backup)) throw new CommandFailure(`${backup} is no directory of backups.`)
  return resolve(backup)
}

/** An archive as it comes. */
async function archiveAt(backup: string, terminal: Terminal): Promise<AsyncIterable<Uint8Array>> {
  if (backup === INPUT) return (terminal.streams ?? (await import('./standard-streams.ts')).standardStreams).read()
  return Bun.file(backup).stream()
}

function mustExist(backup: string): void {
  if (backup !== INPUT && !existsSync(backup)) throw new CommandFailure(`There is no backup at ${backup}.`)
}

async function list(from: string, flags: Flags, terminal: Terminal): Promise<number> {
  const { BackupFolder } = await import('../backup/backup-folder.ts')
  const { printTable } = await import('./table.ts')
  const folder = BackupFolder.open(from)
  const manifests = await Promise.all((await folder.snapshotIds()).map((id) => folder.manifest(id)))
  const facts = manifests.map(({ id, createdAt, ecru, blobCount, blobBytes, encryptedBlobCount, keys, faults }) => ({
    snapshot: id,
    createdAt,
    ecru,
    blobs: blobCount,
    blobBytes,
    encryptedBlobs: encryptedBlobCount,
    includesKeys: keys.length > 0,
    faults: faults.length,
  }))
  const table = () =>
    printTable(
      ['SNAPSHOT', 'BLOBS', 'BYTES', 'ENCRYPTED', 'KEYS', 'FAULTS'],
      facts.map((one) => [
        one.snapshot,
        one.blobs,
        one.blobBytes,
        one.encryptedBlobs,
        one.includesKeys ? 'yes' : 'no',
        one.faults,
      ]),
    )
  terminal.out(flags.json === true ? `${JSON.stringify(facts, null, 2)}\n` : table())
  return EXIT.ok
}

async function look(
  backup: string,
  wanted: string | undefined,
  terminal: Terminal,
  progress: Progress,
): Promise<CheckReport> {
  mustExist(backup)
  const { checkArchive, checkSnapshots } = await import('../backup/checked-snapshot.ts')
  const onProgress = (done: number) => progress.show(() => `${done.toLocaleString('en-US')} blobs looked at`)
  if (!isDirectory(backup)) {
    const report = await checkArchive(await archiveAt(backup, terminal), onProgress)
    if (wanted !== undefined && wanted !== 'all' && wanted !== report.snapshot)
      throw new CommandFailure(`The archive holds the snapshot ${report.snapshot}, and not ${wanted}.`)
    return report
  }
  const { BackupFolder } = await import('../backup/backup-folder.ts')
  const folder = BackupFolder.open(resolve(backup))
  const ids = await folder.snapshotIds()
  return await checkSnapshots(
    folder,
    wanted === 'all' ? ids : wanted === undefined ? ids.slice(-1) : [wanted],
    onProgress,
  )
}

async function restoreHere(
  options: Texts,
  backup: string,
  flags: Flags,
  terminal: Terminal,
  progress: Progress,
): Promise<RestoreReport> {
  const { config } = readConfig(terminal.env, options)
  if (config.storage.kind === 'memory') throw new CommandFailure('A registry that keeps nothing takes no backup.')
  mustExist(backup)
  const { path } = config.storage
  const { restoreBackup } = await import('../app/restore.ts')
  const lock = lockDataDirectory(path, 'restore')
  const request = {
    from: isDirectory(backup) ? resolve(backup) : await archiveAt(backup, terminal),
    snapshot: snapshotOf(flags),
    isDespiteDamage: flags.despiteDamage === true,
    isKeyConfigured: config.masterKey !== undefined,
    onProgress: (done: number, of: number | undefined) =>
      progress.show(
        () => `${done.toLocaleString('en-US')}${of === undefined ? '' : ` of ${of.toLocaleString('en-US')}`} blobs`,
      ),
  }
  try {
    return await restoreBackup(path, request, systemClock)
  } finally {
    progress.end()
    lock.release()
  }
}

function explain(report: object, terminal: Terminal): void {
  const { needsMasterKey, encryptedBlobs } = report as Partial<RestoreReport>
  if (needsMasterKey === true)
    terminal.err(
      'The secrets are sealed, and the backup does not hold the master key: put it to master.key in the data directory, or set ECRU_MASTER_KEY_FILE, before the first start.\n',
    )
  if (encryptedBlobs !== undefined && encryptedBlobs > 0)
    terminal.err(
      'Encrypted layers were compared by the checksum of their stored bytes. `ecru scrub --dry-run` opens them with the keys and compares their content.\n',
    )
}
