/**
 * Streams a generated layer of several GiB up to Ecru and down again and prints what memory its process took: the
 * proof that a layer's size does not matter. The layer exists only in flight; its digest is made while it streams.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { withRegistry } from './bench.ts'
import { killChildren } from './child-processes.ts'
import { generatedLayer } from './generated-layer.ts'
import { ecru } from './peers/ecru.ts'
import { type Memory, readMemory, resetPeak } from './process-memory.ts'
import { finishUpload, pushBlob, startUpload } from './registry-client.ts'
import type { RunningRegistry } from './registry-peer.ts'
import { openDownload, sendChunks } from './transfer.ts'

const repository = 'bench/large'
const riseBudgetBytes = 32 * 2 ** 20
const restMs = 2000

const { values } = parseArgs({
  options: { gib: { type: 'string', default: '5' }, dir: { type: 'string', default: tmpdir() } },
})
const sizeBytes = Number(values.gib) * 2 ** 30
if (!(sizeBytes > 0)) throw new Error('--gib takes a positive number')

const directory = mkdtempSync(join(values.dir, 'ecru-large-layer-'))
process.on('exit', () => {
  killChildren()
  rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
})
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130))

const up = await observe('up', async (registry) => {
  await registry.createRepository(repository)
  await pushBlob(registry, repository, Buffer.from('wakes up what every push needs'))
  return () => push(registry)
})
const down = await observe('down', async (registry) => () => pull(registry, up.digest))

const isSame = down.digest === up.digest
const riseBytes = Math.max(up.riseBytes, down.riseBytes)
console.log(`${up.digest} ${isSame ? 'came back the same' : `came back as ${down.digest}`}`)
console.log(`highest rise above idle: ${mebibytes(riseBytes)} (budget ${mebibytes(riseBudgetBytes)})`)
process.exit(isSame && riseBytes <= riseBudgetBytes ? 0 : 1)

/** Starts Ecru, lets it rest, and prints what it takes then and at most while the layer moves. */
async function observe(
  way: string,
  prepare: (registry: RunningRegistry) => Promise<() => Promise<string>>,
): Promise<{ readonly digest: string; readonly riseBytes: number }> {
  return await withRegistry(ecru, directory, async (registry) => {
    const move = await prepare(registry)
    await Bun.sleep(restMs)
    const idle = readMemory(registry.pid)
    print('idle', idle, '')
    resetPeak(registry.pid)
    const began = performance.now()
    const digest = await move()
    const megabytesPerSecond = sizeBytes / 1e3 / (performance.now() - began)
    const after = readMemory(registry.pid)
    print(way, after, `at ${megabytesPerSecond.toFixed(0)} MB/s, making and hashing included`)
    return { digest, riseBytes: after.peakBytes - idle.residentBytes }
  })
}

async function push(to: RunningRegistry): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  const location = await startUpload(to, repository)
  const next = await sendChunks(to, location, hashed(hash))
  const sent = `sha256:${hash.digest('hex')}`
  await finishUpload(to, next, sent)
  return sent
}

function* hashed(hash: Bun.CryptoHasher): Generator<Uint8Array> {
  for (const chunk of generatedLayer('large layer', sizeBytes)) {
    hash.update(chunk)
    yield chunk
  }
}

async function pull(from: RunningRegistry, wanted: string): Promise<string> {
  const hash = new Bun.CryptoHasher('sha256')
  for await (const chunk of openDownload(`${from.url}/v2/${repository}/blobs/${wanted}`, from.authorization)) {
    hash.update(chunk)
  }
  return `sha256:${hash.digest('hex')}`
}

function print(state: string, { residentBytes, anonymousBytes, peakBytes }: Memory, remark: string): void {
  const figures = [residentBytes, anonymousBytes, peakBytes].map((bytes) => mebibytes(bytes).padStart(10))
  console.log(`${state.padEnd(5)} resident ${figures[0]}, anonymous ${figures[1]}, peak ${figures[2]} ${remark}`)
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}
