import type { Config } from '../config/config.ts'
import type { LifecycleRun } from '../domain/lifecycle/run.ts'
import { parseRegion, parseRegistryId, parseRepositoryName, type RepositoryRef } from '../domain/names.ts'
import type { LifecycleReport } from '../jobs/lifecycle.ts'
import type { LifecycleForecast } from '../jobs/lifecycle-jobs.ts'
import type { Flags, Invocation } from './invocation.ts'
import { runJob } from './jobs.ts'
import { printFacts } from './report.ts'
import type { RunningApp } from './running-app.ts'
import { printTable } from './table.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

/** What came over the wire, where moments are texts. */
type Wire<T> = T extends Date | string
  ? string
  : T extends readonly (infer Item)[]
    ? readonly Wire<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: Wire<T[K]> }
      : T

/** `ecru lifecycle preview`: what the policy of a repository would do now. Changes nothing. */
export async function previewLifecycle(repository: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const job = {
    command: 'lifecycle preview',
    method: 'POST',
    path: `/_ecru/lifecycle/preview?${queryOf(repository, flags)}`,
    runDirectly: (app: RunningApp, config: Config) => app.forecastLifecycle(refOf(repository, flags, config)),
  } as const
  const answer = await runJob(job, invocation)
  print(answer, flags, terminal, printForecast)
  return EXIT.ok
}

/** `ecru lifecycle run`: executes the policy of a repository, or every one, now. Fails when another process is at it. */
export async function runLifecycle(repository: string | undefined, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  if ((repository === undefined) !== (flags.all === true))
    throw new CommandFailure('Name a repository, or give --all for every repository that has a lifecycle policy.')
  const query = repository === undefined ? 'all=true' : queryOf(repository, flags)
  const job = {
    command: 'lifecycle run',
    method: 'POST',
    path: `/_ecru/lifecycle/run?${query}`,
    runDirectly: (app: RunningApp, config: Config) =>
      app.runLifecycle(repository === undefined ? 'all' : refOf(repository, flags, config)),
  } as const
  const answer = await runJob(job, invocation)
  print(answer, flags, terminal, printRuns)
  if (!(answer as Wire<LifecycleReport>).isElsewhere) return EXIT.ok
  terminal.err('Another process executes lifecycle policies just now: nothing was done. Try again in a moment.\n')
  return EXIT.failed
}

/** The same form whether it was answered by a server or by this process. */
function print<T>(answer: object, flags: Flags, terminal: Terminal, inTables: (answer: Wire<T>) => string): void {
  const json = JSON.stringify(answer, null, 2)
  terminal.out(flags.json === true ? `${json}\n` : inTables(JSON.parse(json) as Wire<T>))
}

function printForecast(forecast: Wire<LifecycleForecast>): string {
  const { images, lastEvaluatedAt, lastRun, ...counts } = forecast
  const then = lastRun === undefined ? {} : { lastRun: sumOf(lastRun) }
  const facts = printFacts({ ...counts, lastEvaluated: lastEvaluatedAt ?? 'never', ...then })
  const rows = images.map(({ rulePriority, action, pushedAt, digest, tags }) => [
    rulePriority,
    action,
    pushedAt,
    digest,
    tagsOf(tags),
  ])
  const table = printTable(['RULE', 'ACTION', 'PUSHED', 'DIGEST', 'TAGS'], rows)
  const left = counts.expiringCount + counts.transitioningCount - images.length
  return `${facts}${table === '' ? '' : `\n${table}`}${left > 0 ? `… and ${left.toLocaleString('en-US')} more\n` : ''}`
}

function printRuns({ runs, isElsewhere: _isElsewhere, ...sums }: Wire<LifecycleReport>): string {
  const table = printTable(
    ['REPOSITORY', 'IMAGES', 'EXPIRED', 'ARCHIVED', 'ALONG', 'CHANGED', 'FAILED'],
    runs.map((run) => [
      `${run.registryId}/${run.region}/${run.repositoryName}`,
      run.imageCount,
      run.expiredCount,
      run.transitionedCount,
      run.followedCount,
      run.changedCount,
      run.failedCount,
    ]),
  )
  const failures = runs.flatMap((run) =>
    run.failures.map(({ digest, tags, code }) => [run.repositoryName, digest, tagsOf(tags), code]),
  )
  const failed = printTable(['STAYED IN', 'DIGEST', 'TAGS', 'BECAUSE'], failures)
  return [printFacts(sums), table, failed].filter((part) => part !== '').join('\n')
}

function sumOf({ expiredCount, transitionedCount, failedCount }: Wire<LifecycleRun>): string {
  return `${expiredCount} expired, ${transitionedCount} archived, ${failedCount} had to stay`
}

const TAGS_SHOWN = 3

function tagsOf(tags: readonly string[]): string {
  if (tags.length === 0) return '(untagged)'
  const shown = tags.slice(0, TAGS_SHOWN).join(', ')
  return tags.length > TAGS_SHOWN ? `${shown}, +${tags.length - TAGS_SHOWN}` : shown
}

function queryOf(repository: string, { account, region }: Flags): string {
  const query = new URLSearchParams({ repository })
  if (typeof account === 'string') query.set('account', account)
  if (typeof region === 'string') query.set('region', region)
  return query.toString()
}

function refOf(repository: string, { account, region }: Flags, { defaultRegistry }: Config): RepositoryRef {
  return {
    name: parseRepositoryName(repository),
    registry: {
      registryId: typeof account === 'string' ? parseRegistryId(account) : defaultRegistry.registryId,
      region: typeof region === 'string' ? parseRegion(region) : defaultRegistry.region,
    },
  }
}
