import type { Invocation } from './invocation.ts'
import { printReport, runJob } from './jobs.ts'
import type { ReplicationCommand, RunningApp } from './running-app.ts'
import { printTable } from './table.ts'
import { EXIT } from './terminal.ts'

interface Status {
  readonly destinations: readonly {
    readonly destination: string
    readonly pending: number
    readonly pendingDeletions: number
    readonly failed: number
    readonly failedDeletions: number
    readonly lagSeconds: number
  }[]
  readonly images: readonly {
    readonly image: string
    readonly tags: readonly string[]
    readonly destination: string
    readonly status: string
    readonly attempts: number
    readonly failureReason?: string
  }[]
  readonly deletions: readonly {
    readonly repository: string
    readonly digest?: string
    readonly tags: readonly string[]
    readonly destination: string
    readonly status: string
    readonly attempts: number
    readonly failureReason?: string
  }[]
}

/** `ecru replication …`: how far copies are, failed ones again, and what was there before. */
export async function runReplication(command: ReplicationCommand, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const parameters: Record<string, string> = {}
  for (const name of ['account', 'region']) {
    const value = flags[name]
    if (typeof value === 'string') parameters[name] = value
  }
  const job = {
    command: `replication ${command}`,
    method: 'POST',
    path: `/_ecru/replication/${command}?${new URLSearchParams(parameters)}`,
    runDirectly: (app: RunningApp) => app.replicate(command, parameters),
  } as const
  const report = await runJob(job, invocation)
  if (command !== 'status') {
    printReport(report, flags.json === true, terminal)
    return EXIT.ok
  }
  const status = report as Status
  if (flags.json === true) printReport(status, true, terminal)
  else terminal.out(printStatus(status))
  return status.destinations.some(({ failed, failedDeletions }) => failed + failedDeletions > 0) ? EXIT.failed : EXIT.ok
}

function printStatus({ destinations, images, deletions }: Status): string {
  if (destinations.length === 0) return 'Everything has been copied.\n'
  const lags = printTable(
    ['DESTINATION', 'PENDING', 'FAILED', 'LAG (S)'],
    destinations.map(({ destination, pending, pendingDeletions, failed, failedDeletions, lagSeconds }) => [
      destination,
      pending + pendingDeletions,
      failed + failedDeletions,
      Math.round(lagSeconds),
    ]),
  )
  const copied = images.map(({ image, tags, destination, status, attempts, failureReason = '' }) => [
    ...['copy', image, tags.join(',')],
    ...[destination, status, attempts, failureReason],
  ])
  const deleted = deletions.map(({ repository, digest, tags, destination, status, attempts, failureReason = '' }) => [
    ...['delete', digest === undefined ? repository : `${repository}@${digest}`, tags.join(',')],
    ...[destination, status, attempts, failureReason],
  ])
  const heads = ['WHAT', 'IMAGE', 'TAGS', 'DESTINATION', 'STATUS', 'ATTEMPTS', 'REASON']
  return `${lags}\n${printTable(heads, [...copied, ...deleted])}`
}
