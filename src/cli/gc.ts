import type { Texts } from '../config/config.ts'
import { printReport, runJob } from './jobs.ts'
import type { AppFactory } from './running-app.ts'
import { EXIT, type Terminal } from './terminal.ts'

/** `ecru gc`: deletes what no image needs, beside a running server's traffic or without one. */
export async function collectGarbage(
  options: Texts,
  flags: Readonly<Record<string, unknown>>,
  terminal: Terminal,
  createApp: AppFactory,
): Promise<number> {
  const isDryRun = flags.dryRun === true
  const job = {
    command: 'gc',
    method: 'POST',
    path: `/_ecru/gc?dryRun=${isDryRun}`,
    runDirectly: (app: Awaited<ReturnType<AppFactory>>) => app.collectGarbage(isDryRun),
  } as const
  const report = await runJob(job, options, flags.url, terminal, createApp)
  printReport(report, flags.json === true, terminal)
  return EXIT.ok
}
