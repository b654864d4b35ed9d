import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Bench, interleave, type Workload } from '../bench.ts'
import { seedDistributionTags } from '../peers/distribution-tags.ts'
import { callEcr } from '../peers/ecru.ts'
import { seedEcru } from '../peers/ecru-store.ts'
import { request } from '../registry-client.ts'
import type { RegistryPeer, RunningRegistry } from '../registry-peer.ts'
import { atMost, type Row } from '../row.ts'
import { seededRepository, seededTag } from '../seed.ts'
import { quantile } from '../statistics.ts'

const positions = ['first', 'middle', 'last'] as const
type Position = (typeof positions)[number]

interface Listing {
  readonly title: string
  /** Fetches one page at a position. */
  readonly fetchPage: (registry: RunningRegistry, position: Position) => Promise<void>
}

/**
 * One page of a repository with very many images, at the beginning, in the middle and at the end of it: the 99th
 * percentile of a few hundred requests, one after the other. Peers have no ECR interface; distribution's list of tags
 * is filled by writing its directories, zot is left out since it keeps all of a repository's tags in one document.
 */
export const pages: Workload = {
  name: 'pages',
  async run(bench) {
    const directory = join(bench.directory, 'pages')
    const lists: Row[] = []
    for (const peer of bench.registries) {
      if (peer.name === 'zot') continue
      await mkdir(directory)
      try {
        await seed(bench, peer, directory)
        const registry = await peer.start(directory)
        try {
          lists.push(...(await measure(bench, registry)))
        } finally {
          await registry.stop()
        }
      } catch (error) {
        bench.note(`pages: ${peer.name} left out: ${error instanceof Error ? error.message : String(error)}`)
      } finally {
        await rm(directory, { recursive: true, force: true })
      }
    }
    return mergeRows(lists)
  },
}

async function seed(bench: Bench, peer: RegistryPeer, directory: string): Promise<void> {
  if (peer.name === 'Ecru') await seedEcru(directory, bench.images)
  else
    await seedDistributionTags(
      directory,
      seededRepository,
      Array.from({ length: bench.images }, (_, n) => seededTag(n)),
    )
}

async function measure(bench: Bench, registry: RunningRegistry): Promise<readonly Row[]> {
  const listings = [
    await tagsListing(bench, 100),
    ...(registry.name === 'Ecru'
      ? [
          await ecrListing(bench, registry, 'DescribeImages', 100),
          await ecrListing(bench, registry, 'DescribeImages', 1000),
          await ecrListing(bench, registry, 'ListImages', 100),
          await ecrListing(bench, registry, 'ListImages', 1000),
        ]
      : []),
  ]
  // A peer that reads 100 000 directories for every page takes a tenth of a second for each.
  const requests = registry.name !== 'Ecru' || bench.quick ? 30 : 300
  const rows: Row[] = []
  for (const { title, fetchPage } of listings) {
    const contestants = positions.map((name) => ({ name }))
    const samples = await interleave(bench, title, contestants, async ({ name }) => {
      const taken: number[] = []
      for (let n = 0; n < requests; n++) {
        const began = performance.now()
        await fetchPage(registry, name)
        taken.push(performance.now() - began)
      }
      return { p99: quantile(taken, 0.99) }
    })
    for (const position of positions) {
      rows.push({
        title: `${title}, ${position} page, p99`,
        unit: 'ms',
        better: 'lower',
        samples: new Map([[registry.name, samples('p99').get(position) ?? []]]),
        budgets: [atMost(50, 'ms')],
      })
    }
  }
  return rows
}

async function tagsListing(bench: Bench, size: number): Promise<Listing> {
  const after: Record<Position, string> = {
    first: '',
    middle: `&last=${seededTag(bench.images / 2)}`,
    last: `&last=${seededTag(bench.images - size - 1)}`,
  }
  return {
    title: `tags/list, ${size} of ${bench.images.toLocaleString('en')}`,
    async fetchPage(registry, position) {
      const path = `/v2/${seededRepository}/tags/list?n=${size}${after[position]}`
      await (await request(registry, 'GET', path, 200)).arrayBuffer()
    },
  }
}

/** Walks the whole listing once, in the largest pages, for the tokens of its middle and its end. */
async function ecrListing(
  bench: Bench,
  registry: RunningRegistry,
  operation: 'DescribeImages' | 'ListImages',
  size: number,
): Promise<Listing> {
  const input = { repositoryName: seededRepository, maxResults: 1000 }
  const tokens: (string | undefined)[] = []
  for (let next: string | undefined, isFirst = true; isFirst || next !== undefined; isFirst = false) {
    tokens.push(next)
    next = ((await callEcr(registry.url, operation, { ...input, nextToken: next })) as { nextToken?: string }).nextToken
  }
  const token: Record<Position, string | undefined> = {
    first: undefined,
    middle: tokens[Math.floor(tokens.length / 2)],
    last: tokens.at(-1),
  }
  return {
    title: `${operation}, ${size} of ${bench.images.toLocaleString('en')}`,
    async fetchPage(_, position) {
      await callEcr(registry.url, operation, { ...input, maxResults: size, nextToken: token[position] })
    },
  }
}

/** One row for each title, with the samples of all registries that have it. */
function mergeRows(rows: readonly Row[]): readonly Row[] {
  return [...Map.groupBy(rows, ({ title }) => title).values()].flatMap((same) => {
    const [first] = same
    return first === undefined ? [] : [{ ...first, samples: new Map(same.flatMap(({ samples }) => [...samples])) }]
  })
}
