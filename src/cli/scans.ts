import type { Texts } from '../config/config.ts'
import { isRegistryError } from '../domain/errors.ts'
import { runJob } from './jobs.ts'
import type { AppFactory, RunningApp, ScanCommand } from './running-app.ts'
import { CommandFailure, type Terminal } from './terminal.ts'

export type Flags = Readonly<Record<string, unknown>>

/** Has a command about images done by the running server, or on the data directory itself when no server holds it. */
export async function inspect(
  command: ScanCommand,
  parameters: Readonly<Record<string, string | undefined>>,
  options: Texts,
  flags: Flags,
  terminal: Terminal,
  createApp: AppFactory,
): Promise<object> {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) given[name] = value
  const job = {
    command: command.replace('/', ' '),
    method: 'POST',
    path: `/_ecru/scans/${command}?${new URLSearchParams(given)}`,
    runDirectly: async (app: RunningApp) => {
      try {
        return await app.inspect(command, given)
      } catch (failure) {
        if (isRegistryError(failure)) throw new CommandFailure(failure.message, { cause: failure })
        throw failure
      }
    },
  } as const
  return await runJob(job, options, flags.url, terminal, createApp)
}

/** A flag's text, `undefined` when it was not given. */
export function textOf(flag: unknown): string | undefined {
  return typeof flag === 'string' ? flag : undefined
}
