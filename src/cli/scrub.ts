import type { Texts } from '../config/config.ts'
import { printReport, runJob } from './jobs.ts'
import type { AppFactory } from './running-app.ts'
import { EXIT, type Terminal } from './terminal.ts'

/** `ecru scrub`: verifies every blob. Fails when it finds a bad one, so that a scheduler notices. */
export async function scrub(
  options: Texts,
  flags: Readonly<Record<string, unknown>>,
  terminal: Terminal,
  createApp: AppFactory,
): Promise<number> {
  const isDryRun = flags.dryRun === true
  const job = {
    command: 'scrub',
    method: 'POST',
    path: `/_ecru/scrub?dryRun=${isDryRun}`,
    runDirectly: (app: Awaited<ReturnType<AppFactory>>) => app.scrub(isDryRun),
  } as const
  const report = await runJob(job, options, flags.url, terminal, createApp)
  printReport(report, flags.json === true, terminal)
  const { faults } = report as { readonly faults?: readonly unknown[] }
  return faults !== undefined && faults.length > 0 ? EXIT.failed : EXIT.ok
}
