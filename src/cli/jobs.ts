import { type Config, readConfig } from '../config/config.ts'
import { isRegistryError } from '../domain/errors.ts'
import { silentLogger } from '../lib/logger.ts'
import { lockDataDirectory } from './data-lock.ts'
import { findTarget } from './find-target.ts'
import type { Invocation } from './invocation.ts'
import { askServer, signerFrom } from './operator-client.ts'
import { printFacts } from './report.ts'
import type { AppFactory, RunningApp } from './running-app.ts'
import { CommandFailure, type Terminal } from './terminal.ts'

/** A piece of operator's work: how a running server is asked for it, and how it is done without one. */
export interface OperatorJob {
  readonly command: string
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly runDirectly: (app: RunningApp, config: Config) => Promise<object>
}

/** Has the job done by the server that holds the registry, or by this process when none does. Answers its report. */
export async function runJob(job: OperatorJob, { options, flags, terminal, createApp }: Invocation): Promise<object> {
  const { config } = readConfig(terminal.env, options)
  const target = findTarget(config, flags.url)
  if (target !== undefined) {
    const { region } = config.defaultRegistry
    return await askServer(target, job.method, job.path, region, signerFrom(config, terminal.env))
  }
  return await runOffline(job.command, config, createApp, (app) => job.runDirectly(app, config))
}

/** The parameters of a command without those that were not given, as both ways of having it done take them. */
export function givenOf(parameters: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  const given: Record<string, string> = {}
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) given[name] = value
  return given
}

/** Prints a report as JSON or in words. */
export function printReport(report: object, isJson: boolean, terminal: Terminal): void {
  terminal.out(isJson ? `${JSON.stringify(report, null, 2)}\n` : printFacts(report))
}

/** Works on a data directory that no server holds. What the registry refuses is told in its own sentence, by `CommandFailure`. */
export async function runOffline<T>(
  command: string,
  config: Config,
  createApp: AppFactory,
  work: (app: RunningApp) => Promise<T>,
): Promise<T> {
  const lock = config.storage.kind === 'directory' ? lockDataDirectory(config.storage.path, command) : undefined
  try {
    const app = await createApp(config, silentLogger)
    try {
      return await work(app)
    } catch (thrown) {
      if (isRegistryError(thrown)) throw new CommandFailure(thrown.message, { cause: thrown })
      throw thrown
    } finally {
      await app.close()
    }
  } finally {
    lock?.release()
  }
}
