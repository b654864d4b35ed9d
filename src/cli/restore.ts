import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { RestoreReport } from '../app/restore.ts'
import { readConfig, type Texts } from '../config/config.ts'
import { systemClock } from '../lib/clock.ts'
import { lockDataDirectory } from './data-lock.ts'
import { printReport } from './jobs.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

type Flags = Readonly<Record<string, unknown>>

/** `ecru restore`: a backup into an empty data directory, or (`--verify-only`) a look whether it could be. Answers 1 when something in it is damaged. */
export async function restore(options: Texts, flags: Flags, backup: string, terminal: Terminal): Promise<number> {
  const from = resolve(backup)
  const snapshot = typeof flags.snapshot === 'string' ? flags.snapshot : undefined
  try {
    if (flags.list === true) return await list(from, flags, terminal)
    const report =
      flags.verifyOnly === true
        ? await verify(from, snapshot)
        : await restoreHere(options, { from, snapshot, isDespiteDamage: flags.despiteDamage === true }, terminal)
    printReport(report, flags.json === true, terminal)
    explain(report, terminal)
    return report.damaged.length === 0 ? EXIT.ok : EXIT.failed
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'BackupFailure')
      throw new CommandFailure(thrown.message, { cause: thrown })
    throw thrown
  }
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

async function verify(from: string, wanted: string | undefined) {
  const { BackupFolder } = await import('../backup/backup-folder.ts')
  const { checkSnapshot } = await import('../backup/checked-snapshot.ts')
  const folder = BackupFolder.open(from)
  const id = wanted ?? (await folder.snapshotIds()).at(-1)
  if (id === undefined) throw new CommandFailure(`There is no whole snapshot in ${from}.`)
  return await checkSnapshot(folder, id)
}

async function restoreHere(
  options: Texts,
  request: { readonly from: string; readonly snapshot: string | undefined; readonly isDespiteDamage: boolean },
  terminal: Terminal,
): Promise<RestoreReport> {
  const { config } = readConfig(terminal.env, options)
  if (config.storage.kind === 'memory') throw new CommandFailure('A registry that keeps nothing takes no backup.')
  if (!existsSync(request.from)) throw new CommandFailure(`There is no backup at ${request.from}.`)
  const { path } = config.storage
  const { restoreBackup } = await import('../app/restore.ts')
  const lock = lockDataDirectory(path, 'restore')
  try {
    return await restoreBackup(path, { ...request, isKeyConfigured: config.masterKey !== undefined }, systemClock)
  } finally {
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
