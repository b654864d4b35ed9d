import { parseDuration } from '../config/duration.ts'
import type { Invocation } from './invocation.ts'
import { givenOf, runJob } from './jobs.ts'
import { printFacts } from './report.ts'
import type { AdminCommand, RunningApp } from './running-app.ts'
import { printTable } from './table.ts'
import { CommandFailure, EXIT } from './terminal.ts'

type Parameters = Readonly<Record<string, string | undefined>>

/** `ecru admin …`: has a command done by the running server, or on the data directory itself when no server holds it. */
export async function administer(
  command: AdminCommand,
  parameters: Parameters,
  invocation: Invocation,
): Promise<number> {
  const { flags, terminal } = invocation
  const given = givenOf(parameters)
  const job = {
    command: `admin ${command.replace('/', ' ')}`,
    method: 'POST',
    path: `/_ecru/admin/${command}?${new URLSearchParams(given)}`,
    runDirectly: (app: RunningApp) => app.administer(command, given),
  } as const
  const answer = await runJob(job, invocation)
  terminal.out(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : printed(answer))
  return EXIT.ok
}

/** How long a token is to live, in seconds as text. Throws `CommandFailure`. */
export function secondsOf(duration: unknown): string {
  const durationMs = typeof duration === 'string' ? parseDuration(duration) : undefined
  if (durationMs === undefined) throw new CommandFailure('--expires must be a duration such as 12h or 90d.')
  return String(Math.floor(durationMs / 1000))
}

function printed(answer: object): string {
  const { accounts, aliases, tokens } = answer as Readonly<
    Record<'accounts' | 'aliases' | 'tokens', readonly Row[] | undefined>
  >
  if (accounts !== undefined) return table(accounts, ['accountId', 'rootKeyId', 'createdAt'])
  if (aliases !== undefined) return table(aliases, ['name', 'registryId', 'status', 'isPrimary', 'isDefault'])
  if (tokens === undefined) return printFacts(answer)
  return table(tokens, ['id', 'userArn', 'actions', 'repositories', 'expiresAt'])
}

type Row = Readonly<Record<string, unknown>>

function table(rows: readonly Row[], columns: readonly string[]): string {
  const cell = (value: unknown) =>
    value instanceof Date ? value.toISOString() : Array.isArray(value) ? value.join(',') : String(value)
  return printTable(
    columns,
    rows.map((row) => columns.map((name) => cell(row[name]))),
  )
}
