import { resolve } from 'node:path'
import { readConfig } from '../config/config.ts'
import { isRegistryError } from '../domain/errors.ts'
import { findTarget } from './find-target.ts'
import type { Invocation } from './invocation.ts'
import { printReport, runJob, runOffline } from './jobs.ts'
import { signerFrom, streamFromServer } from './operator-client.ts'
import type { BackupRequest, RunningApp } from './running-app.ts'
import { CommandFailure, CommandMisuse, EXIT, type Terminal } from './terminal.ts'

/**
 * `ecru backup`: everything into a directory or an archive, by the running server beside its traffic, or by this process
 * when none runs. Fails when something that is on record is not in the store.
 */
export async function backUp(place: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const wanted = { includesKeys: flags.includeKeys === true, includesAdvisories: flags.advisories !== false }
  const report =
    place === '-' ? await backUpToOutput(wanted, invocation) : await backUpToPlace(wanted, place, invocation)
  // What goes to the output is the backup itself.
  printReport(report, flags.json === true, place === '-' ? { ...terminal, out: terminal.err } : terminal)
  const { faults, includesMasterKey } = report as { readonly faults: readonly unknown[]; includesMasterKey?: boolean }
  if (wanted.includesKeys && includesMasterKey === false)
    terminal.err(
      'The master key is not in the data directory, and so not in the backup, which is worth nothing without it: keep a copy of the key elsewhere.\n',
    )
  if (faults.length === 0) return EXIT.ok
  terminal.err(
    'The backup is whole but for what the registry itself has lost: `ecru scrub` says more, and a new push of the same layers brings them back.\n',
  )
  return EXIT.failed
}

async function backUpToPlace(wanted: BackupRequest, place: string, invocation: Invocation): Promise<object> {
  const { flags } = invocation
  // On another machine, only its server knows what a relative path would mean.
  const to = flags.url === undefined ? resolve(place) : place
  const keep = flags.keep === undefined ? undefined : Number(flags.keep)
  const isThorough = flags.thorough === true
  const query = queryOf(wanted, to)
  if (keep !== undefined) query.set('keep', String(keep))
  if (isThorough) query.set('thorough', 'true')
  const job = {
    command: 'backup',
    method: 'POST',
    path: `/_ecru/backup?${query}`,
    runDirectly: (app: RunningApp) => app.backUp({ ...wanted, to, keep, isThorough }),
  } as const
  return await runJob(job, invocation)
}

/** An archive to standard output, looked through as it passes by. */
async function backUpToOutput(
  wanted: BackupRequest,
  { options, flags, terminal, createApp }: Invocation,
): Promise<object> {
  if (flags.keep !== undefined || flags.thorough === true)
    throw new CommandMisuse('--keep and --thorough are for directories of backups: an archive is one backup.')
  const { config } = readConfig(terminal.env, options)
  const target = findTarget(config, flags.url)
  if (target === undefined)
    return await runOffline('backup', config, createApp, async (app) =>
      passOn((await app.streamBackup(wanted)).body, terminal),
    )
  const signer = signerFrom(config, terminal.env)
  const path = `/_ecru/backup?${queryOf(wanted, '-')}`
  return await passOn(await streamFromServer(target, path, config.defaultRegistry.region, signer), terminal)
}

async function passOn(archive: AsyncIterable<Uint8Array>, terminal: Terminal): Promise<object> {
  const { checkArchive } = await import('../backup/checked-snapshot.ts')
  const { NobodyReads, PushedStream } = await import('../lib/pushed-stream.ts')
  const { write } = terminal.streams ?? (await import('./standard-streams.ts')).standardStreams
  const copy = new PushedStream()
  const checking = checkArchive(copy.bytes())
  checking.catch(() => copy.leave())
  try {
    for await (const piece of archive) {
      await write(piece)
      await copy.write(piece).catch((error: unknown) => {
        // Behind the end of the archive nothing has to be looked at.
        if (!(error instanceof NobodyReads)) throw error
      })
    }
    copy.end()
  } catch (error) {
    copy.end({ error })
    await checking.catch(() => undefined)
    if (isRegistryError(error)) throw error
    throw new CommandFailure(`The backup broke off, and is not whole: ${(error as Error).message}`, { cause: error })
  }
  const { damaged, snapshots: _, includesKeys: includesMasterKey, ...facts } = await checking
  return { to: 'standard output', ...facts, includesMasterKey, faults: damaged }
}

function queryOf({ includesKeys, includesAdvisories }: BackupRequest, to: string): URLSearchParams {
  return new URLSearchParams({ to, includeKeys: String(includesKeys), advisories: String(includesAdvisories) })
}
