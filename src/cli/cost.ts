import type { Invocation } from './invocation.ts'
import { runJob } from './jobs.ts'
import { printBytes, printFacts } from './report.ts'
import type { RunningApp } from './running-app.ts'
import { printTable } from './table.ts'
import { EXIT } from './terminal.ts'

interface Cost {
  readonly registryId: string
  readonly region: string
  readonly repositoryName: string
  readonly imageCount: number
  readonly sizeBytes: number
  readonly ownBytes: number
  readonly shareBytes: number
  readonly costPerMonth: number
  readonly expiringBytes?: number
  readonly savingPerMonth?: number
}

/** `ecru cost`: what the storage of each repository costs, and what lifecycle policies would save. */
export async function showCost(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const job = {
    command: 'cost',
    method: 'POST',
    path: '/_ecru/cost',
    runDirectly: (app: RunningApp) => app.costs(),
  } as const
  const report = await runJob(job, invocation)
  terminal.out(flags.json === true ? `${JSON.stringify(report, null, 2)}\n` : printCosts(report))
  return EXIT.ok
}

function printCosts(report: object): string {
  const { repositories, ...sums } = report as { readonly repositories: readonly Cost[] }
  const rows = repositories.map((cost) => [
    `${cost.registryId}/${cost.region}/${cost.repositoryName}`,
    cost.imageCount,
    printBytes(cost.sizeBytes),
    printBytes(cost.ownBytes),
    printBytes(cost.shareBytes),
    cost.costPerMonth.toFixed(2),
    cost.expiringBytes === undefined ? '' : printBytes(cost.expiringBytes),
    cost.savingPerMonth?.toFixed(2) ?? '',
  ])
  const headings = ['REPOSITORY', 'IMAGES', 'SIZE', 'OWN', 'SHARE', 'PER MONTH', 'EXPIRING', 'SAVES']
  const table = printTable(headings, rows)
  return table === '' ? printFacts(sums) : `${printFacts(sums)}\n${table}`
}
