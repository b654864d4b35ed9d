import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDigest } from '../../src/domain/digest.ts'
import { evaluate, type LifecycleImage } from '../../src/domain/lifecycle/evaluate.ts'
import { parseLifecyclePolicy } from '../../src/domain/lifecycle/parse.ts'
import { parseTag } from '../../src/domain/names.ts'
import { type Bench, interleave, type Workload } from '../bench.ts'
import { callEcr } from '../peers/ecru.ts'
import { seedEcru } from '../peers/ecru-store.ts'
import { request, sha256 } from '../registry-client.ts'
import type { RunningRegistry } from '../registry-peer.ts'
import { atMost, type Row } from '../row.ts'
import { seededRepository, seededTag } from '../seed.ts'
import { quantile } from '../statistics.ts'

const rulesMax = 50
const now = new Date('2026-06-01T00:00:00Z')
const pollMs = 50

/**
 * A lifecycle policy of fifty rules over a repository of very many images: its evaluation alone, and a preview asked of the
 * running registry, with what a pull of a manifest takes meanwhile. Nobody else has lifecycle policies of ECR's kind.
 */
export const lifecycle: Workload = {
  name: 'lifecycle',
  async run(bench) {
    const images = Math.min(bench.images, 100_000)
    return [await measureEvaluation(bench, images), ...(await measurePreview(bench))]
  },
}

async function measureEvaluation(bench: Bench, count: number): Promise<Row> {
  const rules = parseLifecyclePolicy(
    policyText(
      (n) => [`team-${n}-`, 'sha-'],
      (n) => [`*-${n}-*`, `*ha*${n % 10}`],
    ),
  )
  const images = Array.from({ length: count }, (_, n) => imageOf(n))
  const samples = await interleave(bench, 'lifecycle evaluation', [{ name: 'Ecru' }], async () => {
    const began = performance.now()
    evaluate(rules, images, now)
    return { ms: performance.now() - began }
  })
  return {
    title: `lifecycle evaluation, ${count.toLocaleString('en')} images × ${rulesMax} rules`,
    unit: 'ms',
    better: 'lower',
    samples: samples('ms'),
    budgets: [atMost(1000, 'ms')],
  }
}

/** Four in five images carry two tags, in an order of pushes that is not that of their digests. */
function imageOf(n: number): LifecycleImage {
  const digest = parseDigest(sha256(Buffer.from(`image ${n}`)))
  const tags = n % 5 === 0 ? [] : [`team-${n % 60}-build-${n}`, `sha-${digest.slice(7, 19)}`].map(parseTag)
  return { id: n + 1, digest, tags, status: 'ACTIVE', pushedAtMs: now.getTime() - ((n * 7919) % 100_000) * 60_000 }
}

/** Forty-eight rules by tag, half of them by prefix and half by pattern, then untagged and any; two thirds count. */
function policyText(prefixes: (n: number) => readonly string[], patterns: (n: number) => readonly string[]): string {
  const rules = Array.from({ length: rulesMax }, (_, at) => {
    const n = at + 1
    const tags =
      n === rulesMax
        ? { tagStatus: 'any' }
        : n === rulesMax - 1
          ? { tagStatus: 'untagged' }
          : n % 2 === 0
            ? { tagStatus: 'tagged', tagPrefixList: prefixes(n) }
            : { tagStatus: 'tagged', tagPatternList: patterns(n) }
    const count =
      n % 3 === 0
        ? { countType: 'sinceImagePushed', countUnit: 'days', countNumber: 30 }
        : { countType: 'imageCountMoreThan', countNumber: 10 + n }
    return { rulePriority: n, selection: { ...tags, ...count }, action: { type: 'expire' } }
  })
  return JSON.stringify({ rules })
}

async function measurePreview(bench: Bench): Promise<readonly Row[]> {
  const peer = bench.registries.find(({ name }) => name === 'Ecru')
  if (peer === undefined) return []
  const directory = join(bench.directory, 'lifecycle')
  await mkdir(directory)
  try {
    await seedEcru(directory, bench.images)
    const registry = await peer.start(directory)
    try {
      const samples = await interleave(bench, 'lifecycle preview', [{ name: registry.name }], () => preview(registry))
      const title = `lifecycle preview, ${Math.min(bench.images, 100_000).toLocaleString('en')} images × ${rulesMax} rules`
      return [
        { title: `${title}, until complete`, unit: 'ms', better: 'lower', samples: samples('ms') },
        { title: `${title}, manifest by tag meanwhile, p99`, unit: 'ms', better: 'lower', samples: samples('p99') },
      ]
    } finally {
      await registry.stop()
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function preview(registry: RunningRegistry): Promise<Record<string, number>> {
  const input = { repositoryName: seededRepository }
  // Tags are `build-0000000` and up.
  const lifecyclePolicyText = policyText(
    (n) => [`build-00${n}`],
    (n) => [`build-*${n}*`, `*-*${n % 10}`],
  )
  const began = performance.now()
  await callEcr(registry.url, 'StartLifecyclePolicyPreview', { ...input, lifecyclePolicyText })
  const taken: number[] = []
  for (;;) {
    const { status } = (await callEcr(registry.url, 'GetLifecyclePolicyPreview', { ...input, maxResults: 1 })) as {
      status?: string
    }
    if (status === 'COMPLETE') break
    if (status !== 'IN_PROGRESS') throw new Error(`the preview is ${status}`)
    const polled = performance.now()
    while (performance.now() - polled < pollMs) {
      const asked = performance.now()
      const path = `/v2/${seededRepository}/manifests/${seededTag(taken.length % 1000)}`
      await (await request(registry, 'GET', path, 200)).arrayBuffer()
      taken.push(performance.now() - asked)
    }
  }
  return { ms: performance.now() - began, p99: quantile(taken, 0.99) }
}
