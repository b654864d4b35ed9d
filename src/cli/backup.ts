import { resolve } from 'node:path'
import type { Texts } from '../config/config.ts'
import { isRegistryError } from '../domain/errors.ts'
import { printReport, runJob } from './jobs.ts'
import type { AppFactory, RunningApp } from './running-app.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

/**
 * `ecru backup`: everything into a directory, by the running server beside its traffic, or by this process when none runs.
 * Fails when something that is on record is not in the store.
 */
export async function backUp(
  options: Texts,
  flags: Readonly<Record<string, unknown>>,
  directory: string,
  terminal: Terminal,
  createApp: AppFactory,
): Promise<number> {
  // On another machine, only its server knows what a relative path would mean.
  const to = flags.url === undefined ? resolve(directory) : directory
  const includesKeys = flags.includeKeys === true
  const keep = flags.keep === undefined ? undefined : Number(flags.keep)
  const query = new URLSearchParams({ to, includeKeys: String(includesKeys) })
  if (keep !== undefined) query.set('keep', String(keep))
  const job = {
    command: 'backup',
    method: 'POST',
    path: `/_ecru/backup?${query}`,
    runDirectly: (app: RunningApp) => app.backUp({ to, includesKeys, keep }).catch(inWords),
  } as const
  const report = await runJob(job, options, flags.url, terminal, createApp)
  printReport(report, flags.json === true, terminal)
  const { faults } = report as { readonly faults: readonly unknown[] }
  if (faults.length === 0) return EXIT.ok
  terminal.err(
    'The backup is whole but for what the registry itself has lost: `ecru scrub` says more, and a new push of the same layers brings them back.\n',
  )
  return EXIT.failed
}

function inWords(thrown: unknown): never {
  if (isRegistryError(thrown)) throw new CommandFailure(thrown.message, { cause: thrown })
  throw thrown
}
