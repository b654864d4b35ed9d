import { readConfig } from '../config/config.ts'
import { parseDuration } from '../config/duration.ts'
import { findTarget } from './find-target.ts'
import type { Flags, Invocation } from './invocation.ts'
import { askFromHere } from './operator-client.ts'
import { printFacts } from './report.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

/** `ecru clock`: the time by which a running server of the dev profile goes, after it was moved ahead if that is asked for. */
export async function clock(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const path = '/_ecru/clock'
  const { advance } = flags
  const answer =
    advance === undefined
      ? await ask(invocation, 'GET', path)
      : await ask(invocation, 'POST', path, { advanceSeconds: secondsOf(String(advance)) })
  const { now, offsetSeconds } = answer as { readonly now: string; readonly offsetSeconds: number }
  print(answer, { now, aheadSeconds: offsetSeconds }, flags, terminal)
  return EXIT.ok
}

/** `ecru reset`: empties a running server of the dev profile, as far as is said. Does nothing without `--yes`. */
export async function reset(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const { account, region, repository } = flags
  if (flags.yes !== true) throw new CommandFailure(`${warningFor(flags)} Give --yes to do it.`)
  const report = await ask(invocation, 'POST', '/_ecru/reset', { account, region, repository })
  print(report, report, flags, terminal)
  return EXIT.ok
}

async function ask(
  { options, flags, terminal }: Invocation,
  method: 'GET' | 'POST',
  path: string,
  members?: object,
): Promise<object> {
  const { config } = readConfig(terminal.env, options)
  const target = findTarget(config, flags.url)
  if (target === undefined)
    throw new CommandFailure('No server runs here: it must, since only a running one has a clock and can be reset.')
  return await askFromHere(target, method, path, members)
}

function print(answer: object, facts: object, flags: Flags, terminal: Terminal): void {
  terminal.out(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : printFacts(facts))
}

function secondsOf(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new CommandFailure(`--advance must be a duration such as 90s, 12h or 30d, not '${text}'.`)
  return ms / 1000
}

function warningFor({ account, region, repository }: Flags): string {
  const owner = account === undefined ? '' : ` of account ${account}`
  const place = region === undefined ? '' : ` in ${region}`
  if (repository !== undefined) return `This would delete the repository ${repository}${owner}${place}.`
  return `This would delete every repository, setting, policy and template${owner}${place}.`
}
