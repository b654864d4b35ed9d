import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { parseDigest } from '../../src/domain/digest.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { randomIds } from '../../src/lib/ids.ts'
import { MASTER_KEY_BYTES, MasterKey } from '../../src/lib/master-key.ts'
import { Inventories } from '../../src/services/inventories.ts'
import { openMemoryMetadata } from '../../src/stores/metadata/sqlite.ts'
import { AnalysisWorkers } from '../../src/workers/analysis-workers.ts'
import { entryOf, type TarFile } from '../../test/support/tar-builder.ts'
import { type Bench, interleave, type Workload } from '../bench.ts'
import { generatedLayer } from '../generated-layer.ts'
import { atMost, type Row } from '../row.ts'

const WORKER = new URL('../../src/workers/analysis-worker.ts', import.meta.url).href
const MIB = 1 << 20

/**
 * What is in an image whose one layer is 200 MiB packed: the time until the inventory is there, and the longest time for
 * which the registry's own thread did not answer meanwhile. Half of the content is of the kind that compresses.
 */
export const inventory: Workload = {
  name: 'inventory',
  async run(bench) {
    const packedMib = bench.quick ? 20 : 200
    const path = join(bench.directory, 'inventory-layer.tar.gz')
    const sizeBytes = await writeLayer(path, packedMib)
    try {
      return await measure(bench, path, Math.round(sizeBytes / MIB))
    } finally {
      await rm(path, { force: true })
    }
  },
}

async function measure(bench: Bench, path: string, packedMib: number): Promise<readonly Row[]> {
  const samples = await interleave(bench, 'inventory', [{ name: 'Ecru' }], async () => {
    const metadata = await openMemoryMetadata(new MasterKey(randomIds.secret(MASTER_KEY_BYTES)))
    const workers = new AnalysisWorkers({ workerUrl: WORKER })
    const inventories = new Inventories(metadata, workers, systemClock)
    let longestPauseMs = 0
    let lastTickAt = performance.now()
    const ticks = setInterval(() => {
      const now = performance.now()
      longestPauseMs = Math.max(longestPauseMs, now - lastTickAt - 1)
      lastTickAt = now
    }, 1)
    try {
      const began = performance.now()
      const layer = {
        digest: parseDigest(`sha256:${'0'.repeat(64)}`),
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        open: () => Bun.file(path).stream(),
      }
      const { packages } = await inventories.inventoryOf([layer], new AbortController().signal)
      if (packages.length !== 501) throw new Error(`${packages.length} packages instead of 501`)
      return { ms: performance.now() - began, longestPauseMs }
    } finally {
      clearInterval(ticks)
      workers.close()
      await metadata.close()
    }
  })
  return [
    {
      title: `inventory of an image of ${packedMib} MiB, gzip`,
      unit: 'ms',
      better: 'lower',
      samples: samples('ms'),
      budgets: [atMost(5_000, 'ms')],
    },
    {
      title: 'longest pause of the registry while it is made',
      unit: 'ms',
      better: 'lower',
      samples: samples('longestPauseMs'),
    },
  ]
}

/** Five hundred packages of dpkg, and files of which one half is noise and the other one the same text again and again. */
async function writeLayer(path: string, packedMib: number): Promise<number> {
  const gzip = createGzip({ level: 1 })
  const written = pipeline(gzip, createWriteStream(path))
  const write = async (file: TarFile) => {
    for (const part of entryOf(file))
      if (!gzip.write(part)) await new Promise<void>((resolve) => gzip.once('drain', resolve))
  }
  const packages = Array.from(
    { length: 500 },
    (_, n) => `Package: p${n}\nStatus: install ok installed\nVersion: 1.${n}\n`,
  )
  await write({ path: 'var/lib/dpkg/status', content: packages.join('\n') })
  await write({ path: 'app/node_modules/qs/package.json', content: '{"name":"qs","version":"6.5.1"}' })
  let n = 0
  for (const noise of generatedLayer('inventory', packedMib * MIB))
    for (let at = 0; at < noise.length; at += 64 * 1024) {
      const content = new Uint8Array(128 * 1024).fill(0x61)
      content.set(noise.subarray(at, at + 64 * 1024))
      await write({ path: `usr/lib/data/${n++}`, content, mode: n % 2 === 0 ? 0o755 : 0o644 })
    }
  gzip.end(new Uint8Array(1024))
  await written
  return Bun.file(path).size
}
