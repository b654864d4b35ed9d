import type { Invocation } from './invocation.ts'
import { givenOf, runJob } from './jobs.ts'
import type { RunningApp, ScanCommand } from './running-app.ts'

/** Has a command about images done by the running server, or on the data directory itself when no server holds it. */
export async function inspect(
  command: ScanCommand,
  parameters: Readonly<Record<string, string | undefined>>,
  invocation: Invocation,
): Promise<object> {
  const given = givenOf(parameters)
  const job = {
    command: command.replace('/', ' '),
    method: 'POST',
    path: `/_ecru/scans/${command}?${new URLSearchParams(given)}`,
    runDirectly: (app: RunningApp) => app.inspect(command, given),
  } as const
  return await runJob(job, invocation)
}

/** A flag's text, `undefined` when it was not given. */
export function textOf(flag: unknown): string | undefined {
  return typeof flag === 'string' ? flag : undefined
}
