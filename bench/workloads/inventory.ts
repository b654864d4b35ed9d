import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDigest } from '../../src/domain/digest.ts'
import { PLAIN } from '../../src/domain/vault.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { randomIds } from '../../src/lib/ids.ts'
import { MASTER_KEY_BYTES, MasterKey } from '../../src/lib/master-key.ts'
import { Keyring } from '../../src/services/encryption/keyring.ts'
import { RepositoryGrants } from '../../src/services/encryption/repository-grants.ts'
import { Vaults } from '../../src/services/encryption/vaults.ts'
import { Inventories } from '../../src/services/scanning/inventories.ts'
import { openMemoryMetadata } from '../../src/stores/metadata/sqlite.ts'
import { AnalysisWorkers } from '../../src/workers/analysis-workers.ts'
import { type Bench, interleave, type Workload } from '../bench.ts'
import { atMost, type Row } from '../row.ts'
import { PACKAGES_IN_LAYER, writeScannableLayer } from '../scannable-layer.ts'

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
    await writeScannableLayer(path, packedMib)
    try {
      return await measure(bench, path, Math.round(Bun.file(path).size / MIB))
    } finally {
      await rm(path, { force: true })
    }
  },
}

async function measure(bench: Bench, path: string, packedMib: number): Promise<readonly Row[]> {
  const samples = await interleave(bench, 'inventory', [{ name: 'Ecru' }], async () => {
    const metadata = await openMemoryMetadata(new MasterKey(randomIds.secret(MASTER_KEY_BYTES)))
    const grants = new RepositoryGrants(metadata, systemClock, randomIds)
    const vaults = new Vaults(new Keyring(metadata, randomIds), grants, false)
    const workers = new AnalysisWorkers({ workerUrl: WORKER })
    const inventories = new Inventories(metadata, workers, systemClock, vaults)
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
        vault: PLAIN,
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        open: () => Bun.file(path).stream(),
      }
      const { packages } = await inventories.inventoryOf([layer], new AbortController().signal)
      if (packages.length !== PACKAGES_IN_LAYER)
        throw new Error(`${packages.length} packages instead of ${PACKAGES_IN_LAYER}`)
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
