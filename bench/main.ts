import { mkdtempSync, rmSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Bench, Workload } from './bench.ts'
import { killChildren } from './child-processes.ts'
import { describeMachine } from './machine.ts'
import { type Options, parseOptions, usage } from './options.ts'
import { distribution } from './peers/distribution.ts'
import { dockerRegistry } from './peers/docker-registry.ts'
import { ecru } from './peers/ecru.ts'
import { locateNginx } from './peers/nginx.ts'
import { zot } from './peers/zot.ts'
import type { Located } from './registry-peer.ts'
import { type Circumstances, document, report } from './report.ts'
import type { Row } from './row.ts'
import { admission } from './workloads/admission.ts'
import { advisories } from './workloads/advisories.ts'
import { backup } from './workloads/backup.ts'
import { concurrentPulls } from './workloads/concurrent-pulls.ts'
import { encryption } from './workloads/encryption.ts'
import { events } from './workloads/events.ts'
import { inventory } from './workloads/inventory.ts'
import { lifecycle } from './workloads/lifecycle.ts'
import { manifests } from './workloads/manifests.ts'
import { memory } from './workloads/memory.ts'
import { metrics } from './workloads/metrics.ts'
import { pages } from './workloads/pages.ts'
import { policies } from './workloads/policies.ts'
import { pullLargeBlob } from './workloads/pull-large-blob.ts'
import { pullThrough } from './workloads/pull-through.ts'
import { pushLargeBlob } from './workloads/push-large-blob.ts'
import { replication } from './workloads/replication.ts'
import { scans } from './workloads/scans.ts'
import { smallPushes } from './workloads/small-pushes.ts'
import { startUp } from './workloads/start-up.ts'

const registries = [ecru, dockerRegistry, distribution, zot]
const workloads = [
  pullLargeBlob,
  pushLargeBlob,
  concurrentPulls,
  smallPushes,
  manifests,
  startUp,
  memory,
  pages,
  lifecycle,
  admission,
  advisories,
  backup,
  encryption,
  events,
  inventory,
  metrics,
  policies,
  pullThrough,
  scans,
  replication,
]

const options = parseOptions(process.argv.slice(2))
if (options.help) {
  const peers = [...registries.slice(1).map(({ name }) => name), 'nginx']
  console.log(
    usage(
      workloads.map(({ name }) => name),
      peers,
    ),
  )
  process.exit(0)
}

const directory = mkdtempSync(join(options.directory, 'ecru-bench-'))
process.on('exit', cleanUp)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))
await main(options)
process.exit(0)

async function main({ only, peers, write, ...settings }: Options): Promise<void> {
  const located = new Map<string, Located>()
  for (const { name, locate } of [...registries, { name: 'nginx', locate: locateNginx }]) {
    if (name === 'Ecru' || (peers?.includes(name) ?? true)) located.set(name, await locate())
  }
  const here = (name: string) => 'version' in (located.get(name) ?? {})
  const machine = await describeMachine(directory)
  const notes: string[] = []
  const bench: Bench = {
    ...settings,
    directory,
    registries: registries.filter(({ name }) => here(name)),
    withNginx: here('nginx'),
    note: (text) => {
      notes.push(text)
      console.error(`note: ${text}`)
    },
  }
  const rows: Row[] = []
  for (const workload of select(only)) {
    console.error(`${workload.name} …`)
    rows.push(...(await workload.run(bench)))
  }
  const contestants = new Map([...located].map(([name, found]) => [name, describe(found)]))
  const circumstances: Circumstances = {
    date: new Date(),
    machine,
    contestants,
    registries: bench.registries.map(({ name }) => name),
    repetitions: settings.repetitions,
    command: ['npm run bench', ...(process.argv.length > 2 ? ['--', ...process.argv.slice(2)] : [])].join(' '),
    notes,
  }
  console.log(report(rows, circumstances))
  if (write !== undefined) await writeFile(write, document(rows, circumstances))
  await rm(directory, { recursive: true, force: true })
}

function select(only: readonly string[] | undefined): readonly Workload[] {
  const unknown = only?.filter((name) => !workloads.some((workload) => workload.name === name)) ?? []
  if (unknown.length > 0) throw new Error(`unknown workload: ${unknown.join(', ')}`)
  return workloads.filter(({ name }) => only?.includes(name) ?? true)
}

function describe(found: Located): string {
  return 'version' in found ? found.version : `missing: ${found.missing}`
}

function cleanUp(): void {
  killChildren()
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
}
