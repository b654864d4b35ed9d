import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RegistryPeer, RunningRegistry, StartOptions } from './registry-peer.ts'
import type { Row } from './row.ts'

/** What a workload is given: who takes part, where files may lie, how often and how much to measure. */
export interface Bench {
  readonly registries: readonly RegistryPeer[]
  readonly withNginx: boolean
  /** Everything a workload writes lies below, and goes when the run ends. */
  readonly directory: string
  /** Measurements that count, after one warm-up that does not. */
  readonly repetitions: number
  /** A run to see that all works, not to quote. */
  readonly quick: boolean
  /** Images in the large metadata stores. */
  readonly images: number
  /** Tells of something that the reader of the figures must know. */
  note(text: string): void
}

/** One kind of work; `run` leaves no process and no file behind. */
export interface Workload {
  readonly name: string
  run(bench: Bench): Promise<readonly Row[]>
}

/**
 * Measures all contestants once a round, in an order that rotates, so that drift of the machine hits all alike.
 * The first round warms up and is dropped. A contestant that fails is noted, left out from then on, and shows as missing.
 * Returns the samples by metric, then by contestant.
 */
export async function interleave<C extends { readonly name: string }>(
  bench: Bench,
  what: string,
  contestants: readonly C[],
  measure: (contestant: C, round: number) => Promise<Record<string, number>>,
): Promise<(metric: string) => Map<string, number[]>> {
  const taken = new Map<string, Map<string, number[]>>()
  const failed = new Set<C>()
  for (let round = 0; round <= bench.repetitions; round++) {
    for (const contestant of rotate(contestants, round)) {
      if (failed.has(contestant)) continue
      try {
        const figures = await measure(contestant, round)
        if (round > 0) Object.entries(figures).forEach(([metric, figure]) => void keep(metric, contestant.name, figure))
      } catch (error) {
        failed.add(contestant)
        bench.note(`${what}: ${contestant.name} failed: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
  }
  return (metric) => taken.get(metric) ?? new Map()

  function keep(metric: string, name: string, figure: number) {
    const samples = taken.get(metric) ?? new Map<string, number[]>()
    samples.set(name, [...(samples.get(name) ?? []), figure])
    taken.set(metric, samples)
  }
}

function rotate<T>(items: readonly T[], by: number): readonly T[] {
  return items.map((_, at) => items[(at + by) % items.length] as T)
}

/** Runs `work` with an empty directory and removes that afterwards. */
export async function withDirectory<T>(bench: Bench, work: (directory: string) => Promise<T>): Promise<T> {
  const directory = join(bench.directory, `registry-${crypto.randomUUID()}`)
  await mkdir(directory)
  try {
    return await work(directory)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Starts a registry on a directory, runs `work` and stops it. */
export async function withRegistry<T>(
  peer: RegistryPeer,
  directory: string,
  work: (registry: RunningRegistry) => Promise<T>,
  options: StartOptions = {},
): Promise<T> {
  const registry = await peer.start(directory, options)
  try {
    return await work(registry)
  } finally {
    await registry.stop()
  }
}

/** The same on an empty directory of its own, which is removed afterwards. */
export async function withFreshRegistry<T>(
  bench: Bench,
  peer: RegistryPeer,
  work: (registry: RunningRegistry) => Promise<T>,
  options: StartOptions = {},
): Promise<T> {
  return await withDirectory(bench, (directory) => withRegistry(peer, directory, work, options))
}

/** Starts all registries side by side, prepares each, runs `work` with those that came up, and cleans up after all. */
export async function withAllRegistries<T>(
  bench: Bench,
  prepare: (registry: RunningRegistry) => Promise<void>,
  work: (registries: readonly RunningRegistry[]) => Promise<T>,
  options: StartOptions = {},
): Promise<T> {
  const up: RunningRegistry[] = []
  const gather = async (waiting: readonly RegistryPeer[]): Promise<T> => {
    const [peer, ...others] = waiting
    if (peer === undefined) return await work(up)
    let isPrepared = false
    try {
      return await withFreshRegistry(
        bench,
        peer,
        async (registry) => {
          await prepare(registry)
          isPrepared = true
          up.push(registry)
          return await gather(others)
        },
        options,
      )
    } catch (error) {
      if (isPrepared) throw error
      bench.note(`${peer.name} left out: ${error instanceof Error ? error.message : String(error)}`)
      return await gather(others)
    }
  }
  return await gather(bench.registries)
}

/** Megabytes (10⁶) a second. */
export function megabytesPerSecond(bytes: number, elapsedMs: number): number {
  return bytes / 1e3 / elapsedMs
}
