import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, type Workload, withDirectory } from '../bench.ts'
import { ecru } from '../peers/ecru.ts'
import { blobFileBelow, seedEcru } from '../peers/ecru-store.ts'
import { readMemory, resetPeak } from '../process-memory.ts'
import { atMost, type Row } from '../row.ts'
import { seededContents } from '../seed.ts'

/** How far the memory of a server may rise, however much it holds. */
const riseMb = 64
const restMs = 2000
const main = join(import.meta.dir, '../../src/main.ts')

/**
 * Backups of very many images by a running server: the first and the next into a directory, and one into an archive, with
 * what it takes of memory; then a restore. Each image has a small blob of its own, so that it is the number that counts.
 */
export const backup: Workload = {
  name: 'backup',
  async run(bench) {
    const images = Math.min(bench.images, 100_000)
    const samples = new Map<string, number[]>()
    const keep = (figures: Readonly<Record<string, number>>) => {
      for (const [name, figure] of Object.entries(figures)) samples.set(name, [...(samples.get(name) ?? []), figure])
    }
    for (let repetition = 0; repetition < bench.repetitions; repetition++)
      await withDirectory(bench, async (directory) => keep(await measure(bench, directory, images)))
    const of = `${images.toLocaleString('en')} images`
    const row = (title: string, name: string, unit: Row['unit']): Row => ({
      title,
      unit,
      better: 'lower',
      samples: new Map([['Ecru', samples.get(name) ?? []]]),
      ...(unit === 'MB' ? { budgets: [atMost(riseMb, 'MB')] } : {}),
    })
    return [
      row(`backup of ${of} into a directory, the first`, 'first', 'ms'),
      row(`rise of the server's peak for it`, 'firstRise', 'MB'),
      row(`backup of ${of} into a directory, the next`, 'next', 'ms'),
      row(`rise of the server's peak for it`, 'nextRise', 'MB'),
      row(`backup of ${of} into one archive`, 'archive', 'ms'),
      row(`rise of the server's peak for it`, 'archiveRise', 'MB'),
      row(`restore of ${of} from that archive`, 'restore', 'ms'),
    ]
  },
}

async function measure(bench: Bench, directory: string, images: number): Promise<Record<string, number>> {
  await seedEcru(directory, images)
  await writeBlobs(join(directory, 'data'), images)
  const registry = await ecru.start(directory)
  const figures: Record<string, number> = {}
  const archive = join(directory, 'all.tar')
  try {
    await Bun.sleep(bench.quick ? 0 : restMs)
    for (const [name, to] of [
      ['first', join(directory, 'backup')],
      ['next', join(directory, 'backup')],
      ['archive', archive],
    ] as const) {
      const before = readMemory(registry.pid).residentBytes
      resetPeak(registry.pid)
      const began = performance.now()
      await backUp(registry.url, to)
      figures[name] = performance.now() - began
      figures[`${name}Rise`] = (readMemory(registry.pid).peakBytes - before) / 2 ** 20
    }
  } finally {
    await registry.stop()
  }
  await rm(join(directory, 'data'), { recursive: true })
  const began = performance.now()
  const restoring = Bun.spawn([process.execPath, main, 'restore', archive, '--data-dir', join(directory, 'restored')], {
    stdout: 'ignore',
    stderr: 'inherit',
  })
  if ((await restoring.exited) !== 0) throw new Error('the restore failed')
  figures.restore = performance.now() - began
  return figures
}

async function backUp(url: string, to: string): Promise<void> {
  const query = new URLSearchParams({ to })
  const answer = await fetch(`${url}/_ecru/backup?${query}`, { method: 'POST', timeout: false } as BunFetchRequestInit)
  const report = (await answer.json()) as { readonly faults?: readonly unknown[] }
  if (!answer.ok || report.faults?.length !== 0)
    throw new Error(`the backup failed: ${JSON.stringify(report).slice(0, 300)}`)
}

async function writeBlobs(data: string, images: number): Promise<void> {
  for (let shard = 0; shard < 256; shard++)
    await mkdir(join(data, 'blobs/sha256', shard.toString(16).padStart(2, '0')), { recursive: true })
  for (const text of seededContents(images)) await writeFile(blobFileBelow(data, text), text)
}
