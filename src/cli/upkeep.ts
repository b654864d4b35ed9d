import type { Invocation } from './invocation.ts'
import { printReport, runJob } from './jobs.ts'
import type { RunningApp } from './running-app.ts'
import { EXIT } from './terminal.ts'

const JOBS = {
  gc: (app: RunningApp, isDryRun: boolean) => app.collectGarbage(isDryRun),
  scrub: (app: RunningApp, isDryRun: boolean) => app.scrub(isDryRun),
} as const

/**
 * `ecru gc`, which deletes what no image needs, and `ecru scrub`, which verifies every blob: beside a running server's
 * traffic or without one. Fails when bad blobs are found, so that a scheduler notices.
 */
export async function runUpkeep(command: keyof typeof JOBS, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const isDryRun = flags.dryRun === true
  const job = {
    command,
    method: 'POST',
    path: `/_ecru/${command}?dryRun=${isDryRun}`,
    runDirectly: (app: RunningApp) => JOBS[command](app, isDryRun),
  } as const
  const report = await runJob(job, invocation)
  printReport(report, flags.json === true, terminal)
  const { faults = [] } = report as { readonly faults?: readonly unknown[] }
  return faults.length > 0 ? EXIT.failed : EXIT.ok
}
