import { parseDuration } from '../config/duration.ts'
import type { Flags, Invocation } from './invocation.ts'
import { printFacts } from './report.ts'
import type { ScanCommand } from './running-app.ts'
import { inspect, textOf } from './scans.ts'
import { printTable } from './table.ts'
import { CommandFailure, EXIT } from './terminal.ts'

type Parameters = Readonly<Record<string, string | undefined>>

/** `ecru admission …` and `ecru suppressions …`: has the command done, and prints what it answers. */
export async function manageRules(
  command: ScanCommand,
  parameters: Parameters,
  invocation: Invocation,
): Promise<number> {
  const { flags, terminal } = invocation
  const registry = { account: textOf(flags.account), region: textOf(flags.region) }
  const answer = await inspect(command, { ...parameters, ...registry }, invocation)
  const text = JSON.stringify(answer, null, 2)
  terminal.out(flags.json === true ? `${text}\n` : inWords(JSON.parse(text) as Answer))
  return EXIT.ok
}

/** What the flags of `ecru admission set` say. Throws `CommandFailure`. */
export function admissionParameters(flags: Flags): Parameters {
  return {
    severity: textOf(flags.severity),
    'ignore-unfixed': switchOf(flags.ignoreUnfixed),
    'max-age-seconds': secondsOf(flags.maxAge),
    'dry-run': switchOf(flags.dryRun),
    'exempt-principals': listOf(flags.exemptPrincipal),
    'exempt-images': listOf(flags.exemptImage),
  }
}

function switchOf(flag: unknown): string | undefined {
  return flag === true ? 'true' : undefined
}

function listOf(flag: unknown): string | undefined {
  return Array.isArray(flag) ? flag.map(String).join(' ') : undefined
}

function secondsOf(flag: unknown): string | undefined {
  if (flag === undefined) return undefined
  const durationMs = parseDuration(String(flag))
  if (durationMs === undefined) throw new CommandFailure('--max-age must be a duration such as 12h or 30d.')
  return String(Math.floor(durationMs / 1000))
}

interface WireRule {
  readonly repositories: string
  readonly severity?: string
  readonly ignoresUnfixed: boolean
  readonly ageMsMax?: number
  readonly isDryRun: boolean
  readonly exemptPrincipals: readonly string[]
  readonly exemptDigests: readonly { readonly digest: string; readonly until?: string }[]
}

interface WireSuppression {
  readonly id: string
  readonly vulnerability: string
  readonly repositoryName?: string
  readonly packageName?: string
  readonly reason: string
  readonly expiresAt?: string
  readonly isExpired: boolean
}

interface Answer {
  readonly rules?: readonly WireRule[]
  readonly suppressions?: readonly WireSuppression[]
}

function inWords(answer: Answer): string {
  const { rules, suppressions } = answer
  if (rules !== undefined) return rules.length === 0 ? 'No rule: every image may be pulled.\n' : ruleTable(rules)
  if (suppressions === undefined) return printFacts(answer)
  const rows = suppressions.map((one) => [
    one.id,
    one.vulnerability,
    one.repositoryName ?? '*',
    one.packageName ?? '*',
    one.expiresAt === undefined ? '' : `${one.expiresAt.slice(0, 10)}${one.isExpired ? ' (over)' : ''}`,
    one.reason,
  ])
  return printTable(['ID', 'VULNERABILITY', 'REPOSITORY', 'PACKAGE', 'UNTIL', 'REASON'], rows)
}

function ruleTable(rules: readonly WireRule[]): string {
  const rows = rules.map((rule) => [
    rule.repositories,
    rule.severity === undefined ? '' : `${rule.severity}${rule.ignoresUnfixed ? ', fixable' : ''}`,
    rule.ageMsMax === undefined ? '' : `${rule.ageMsMax / 1000} s`,
    rule.isDryRun ? 'on trial' : 'enforced',
    [...rule.exemptPrincipals, ...rule.exemptDigests.map(({ digest }) => digest)].join(' '),
  ])
  return printTable(['REPOSITORIES', 'REFUSES FROM', 'SCAN AT MOST', 'MODE', 'EXEMPT'], rows)
}
