import { resolve } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Invocation } from './invocation.ts'
import { printReport, runJob } from './jobs.ts'
import { printFacts } from './report.ts'
import type { RunningApp } from './running-app.ts'
import { printTable } from './table.ts'
import { EXIT, type Terminal } from './terminal.ts'

/** `ecru advisories import`: brings a directory, a file or what is behind a URL in. */
export async function importAdvisories(from: string, invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  // The server reads it, and is somewhere else in the file system.
  const place = /^(https?:\/\/|oci:)/i.test(from) ? from : resolve(from)
  const ecosystems = typeof flags.ecosystems === 'string' ? flags.ecosystems : undefined
  const source = typeof flags.source === 'string' ? flags.source : undefined
  const query = new URLSearchParams({ from: place })
  if (ecosystems !== undefined) query.set('ecosystems', ecosystems)
  if (source !== undefined) query.set('source', source)
  const choice = { ecosystems: listOf(ecosystems), source }
  const job = {
    command: 'advisories import',
    method: 'POST',
    path: `/_ecru/advisories/import?${query}`,
    runDirectly: (app: RunningApp) => app.importAdvisories(place, choice, told(terminal)),
  } as const
  printReport(await runJob(job, invocation), flags.json === true, terminal)
  return EXIT.ok
}

/** `ecru advisories fetch`: brings in what has changed at the configured source. */
export async function fetchAdvisories(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const job = {
    command: 'advisories fetch',
    method: 'POST',
    path: '/_ecru/advisories/fetch',
    runDirectly: (app: RunningApp) => app.fetchAdvisories(told(terminal)),
  } as const
  printReport(await runJob(job, invocation), flags.json === true, terminal)
  return EXIT.ok
}

interface WireEcosystem {
  readonly ecosystem: string
  readonly recordCount: number
  readonly newestModifiedAt: string
  readonly asOf: string
  readonly importedAt: string
}

interface WireStatus {
  readonly state: string
  readonly staleEcosystems: readonly string[]
  readonly ecosystems?: readonly WireEcosystem[]
  readonly pushes?: readonly WirePush[]
  readonly [fact: string]: unknown
}

interface WirePush {
  readonly ref: { readonly name: string }
  readonly digest: string
  readonly pushedAt: string
  readonly state: string
  readonly reason?: string
}

/** `ecru advisories status`: what there is, and how old. Fails when there is nothing, or all of it is too old. */
export async function printAdvisoryStatus(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
  const job = {
    command: 'advisories status',
    method: 'POST',
    path: '/_ecru/advisories/status',
    runDirectly: (app: RunningApp, _config: Config) => app.advisoryStatus(),
  } as const
  const text = JSON.stringify(await runJob(job, invocation), null, 2)
  const status = JSON.parse(text) as WireStatus
  terminal.out(flags.json === true ? `${text}\n` : inTables(status))
  return status.state === 'present' ? EXIT.ok : EXIT.failed
}

function inTables({ ecosystems = [], pushes = [], staleEcosystems, revision: _, ...facts }: WireStatus): string {
  const rows = ecosystems.map(({ ecosystem, recordCount, newestModifiedAt, asOf, importedAt }) => [
    ecosystem,
    recordCount,
    dayOf(newestModifiedAt),
    dayOf(asOf),
    dayOf(importedAt),
    staleEcosystems.includes(ecosystem) ? 'too old' : '',
  ])
  const table = printTable(['ECOSYSTEM', 'RECORDS', 'NEWEST', 'AS OF', 'IMPORTED', ''], rows)
  const pushed = pushes.map(({ ref, digest, pushedAt, state, reason = '' }) => [
    `${ref.name}@${digest.slice(0, 19)}`,
    dayOf(pushedAt),
    state,
    reason,
  ])
  const tables = [table, pushed.length === 0 ? '' : printTable(['PUSHED', 'ON', 'IMPORT', ''], pushed)]
  return [printFacts(facts), ...tables.filter((text) => text !== '')].join('\n')
}

function dayOf(moment: string): string {
  return moment.slice(0, 10)
}

function listOf(ecosystems: string | undefined): readonly string[] | undefined {
  return ecosystems?.split(',').map((one) => one.trim())
}

/** A line for each part, as it comes. */
function told(
  terminal: Terminal,
): (progress: {
  readonly part: string
  readonly partsDone: number
  readonly partCount: number
  readonly recordsRead: number
}) => void {
  let last = ''
  return ({ part, partsDone, partCount, recordsRead }) => {
    if (part === last) return
    last = part
    terminal.err(`${partsDone + 1}/${partCount} ${part} (${recordsRead.toLocaleString('en-US')} records so far)\n`)
  }
}
