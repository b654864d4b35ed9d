import type { AccessReport } from '../domain/iam/access-report.ts'
import type { Invocation } from './invocation.ts'
import { runJob } from './jobs.ts'
import type { RunningApp } from './running-app.ts'
import { printTable } from './table.ts'
import { CommandFailure, EXIT } from './terminal.ts'

/** `ecru iam explain`: a decision, and the statements that have a say in it, as a table or as JSON. */
export async function explainAccess(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const [principal, action, resource] = [flags.principal, flags.action, flags.resource].map(String)
  const context = contextOf(flags.context)
  const question = { principal: principal ?? '', action: action ?? '', resource: resource ?? '*' }
  const job = {
    command: 'iam explain',
    method: 'POST',
    path: `/_ecru/iam/explain?${new URLSearchParams([...Object.entries(question), ...context])}`,
    runDirectly: (app: RunningApp) => app.explainAccess({ ...question, context: byKey(context) }),
  } as const
  const report = (await runJob(job, invocation)) as AccessReport
  terminal.out(flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : inWords(report))
  return EXIT.ok
}

/** Throws `CommandFailure` for what is no `key=value`. */
function contextOf(given: unknown): readonly [string, string][] {
  return (Array.isArray(given) ? given.map(String) : []).map((text) => {
    const [, key, value] = /^([^=:]+:[^=]+)=(.*)$/s.exec(text) ?? []
    if (key === undefined || value === undefined)
      throw new CommandFailure(`--context takes pairs such as aws:SourceIp=10.1.2.3, not '${text.slice(0, 100)}'.`)
    return [key, value]
  })
}

function byKey(pairs: readonly [string, string][]): Readonly<Record<string, readonly string[]>> {
  const keys = new Map<string, string[]>()
  for (const [key, value] of pairs) keys.set(key.toLowerCase(), [...(keys.get(key.toLowerCase()) ?? []), value])
  return Object.fromEntries(keys)
}

function inWords({ principal, action, resource, reason, statements }: AccessReport): string {
  const rows = statements.map(({ kind, policy, statement, effect, outcome }) => [
    kind,
    policy,
    statement,
    effect,
    outcome,
  ])
  const table = printTable(['kind', 'policy', 'statement', 'effect', 'outcome'], rows)
  return `${principal}\n${action} on ${resource}\n${reason}\n${table === '' ? '' : `\n${table}`}`
}
