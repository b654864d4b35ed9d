import { setTimeout as sleep } from 'node:timers/promises'
import type { Flags, Invocation } from './invocation.ts'
import { givenOf, runJob } from './jobs.ts'
import { printFacts } from './report.ts'
import type { EventCommand, RunningApp } from './running-app.ts'
import { printTable } from './table.ts'
import { EXIT } from './terminal.ts'

const FOLLOW_EVERY_MS = 1_000

/** `ecru events tail`: prints events as they come, a line each; with `--no-follow` those that are there. */
export async function tailEvents(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const limit = textOf(flags.lines) ?? '10'
  let after = textOf(flags.after)
  for (;;) {
    const page = (await ask('read', { after, limit }, invocation)) as { events: readonly object[]; after: number }
    for (const event of page.events) terminal.out(`${JSON.stringify(event)}\n`)
    if (flags.follow === false) return EXIT.ok
    if (page.events.length === 0) await sleep(FOLLOW_EVERY_MS)
    after = String(page.after)
  }
}

interface WireTarget {
  readonly account: string
  readonly region: string
  readonly rule: string
  readonly target: string
  readonly behind: number
  readonly attempts: number
  readonly reason?: string
}

/** `ecru events status`: how far each target has come. Fails when one is in trouble. */
export async function printEventStatus(invocation: Invocation): Promise<number> {
  const answer = (await ask('status', {}, invocation)) as { readonly targets: readonly WireTarget[] }
  const { targets } = answer
  const rows = targets.map(({ account, region, rule, target, behind, attempts, reason }) => [
    account,
    region,
    rule,
    target,
    behind,
    attempts,
    reason ?? '',
  ])
  print(invocation, answer, () => {
    if (rows.length === 0) return 'No enabled rule has a target.\n'
    return printTable(['account', 'region', 'rule', 'target', 'behind', 'attempts', 'trouble'], rows)
  })
  return targets.some(({ attempts }) => attempts > 0) ? EXIT.failed : EXIT.ok
}

interface WireLetter {
  readonly id: number
  readonly at: string
  readonly ruleName: string
  readonly targetName: string
  readonly attempts: number
  readonly reason: string
}

/** `ecru events dead-letters`: what was given up; `--forget ID` forgets it up to there. */
export async function deadLetters(invocation: Invocation): Promise<number> {
  const forget = textOf(invocation.flags.forget)
  if (forget !== undefined) {
    const report = await ask('forget', { upTo: forget }, invocation)
    print(invocation, report, () => printFacts(report))
    return EXIT.ok
  }
  const answer = (await ask('dead-letters', { after: textOf(invocation.flags.after) }, invocation)) as {
    readonly deadLetters: readonly WireLetter[]
  }
  const rows = answer.deadLetters.map(({ id, at, ruleName, targetName, attempts, reason }) => [
    String(id),
    at,
    ruleName,
    targetName,
    attempts,
    reason,
  ])
  print(invocation, answer, () =>
    rows.length === 0
      ? 'Nothing was given up.\n'
      : printTable(['id', 'given up at', 'rule', 'target', 'attempts', 'reason'], rows),
  )
  return EXIT.ok
}

/** `ecru events replay`: the targets of a rule get events again. */
export async function replayEvents(invocation: Invocation): Promise<number> {
  const { flags } = invocation
  const parameters = {
    ...placeOf(flags),
    rule: textOf(flags.rule),
    target: textOf(flags.target),
    from: textOf(flags.from),
  }
  const report = (await ask('replay', parameters, invocation)) as { targets: readonly string[]; position: number }
  print(invocation, report, () => `From position ${report.position} on: ${report.targets.join(', ')}\n`)
  return EXIT.ok
}

/** `ecru events secret`: by what the webhooks of an account are signed. */
export async function printWebhookSecret(invocation: Invocation): Promise<number> {
  const answer = (await ask('secret', placeOf(invocation.flags), invocation)) as { readonly secret: string }
  print(invocation, answer, () => `${answer.secret}\n`)
  return EXIT.ok
}

function ask(
  command: EventCommand,
  parameters: Readonly<Record<string, string | undefined>>,
  invocation: Invocation,
): Promise<object> {
  const given = givenOf(parameters)
  const job = {
    command: `events ${command}`,
    method: 'POST',
    path: `/_ecru/events/${command}?${new URLSearchParams(given)}`,
    runDirectly: (app: RunningApp) => app.manageEvents(command, given),
  } as const
  return runJob(job, invocation)
}

function print({ flags, terminal }: Invocation, answer: object, words: () => string): void {
  terminal.out(flags.json === true ? `${JSON.stringify(answer, null, 2)}\n` : words())
}

function placeOf(flags: Flags) {
  return { account: textOf(flags.account), region: textOf(flags.region) }
}

function textOf(flag: unknown): string | undefined {
  return typeof flag === 'string' ? flag : undefined
}
