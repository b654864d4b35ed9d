import { readFile } from 'node:fs/promises'
import { looseVolume, plainVolume, type Volume, whyNoLooseVolume } from '../support/volume.ts'
import { readOptions, type TortureOptions, USAGE } from './options.ts'
import { Run } from './run.ts'
import { ConnectionLost } from './wire.ts'

const PROGRESS_EVERY = 20
const VOLUME_BYTES = 512 * 1024 * 1024
const LOAD_ROUND_MS = 4_000
const WARM_UP_ROUNDS = 4
const MEASURED_ROUNDS = 6
/** What the heap may swing between two rounds without anything being kept. */
const GROWTH_BYTES_MAX = 32 * 1024 * 1024

/** Kills Ecru under load again and again, and tells whether it ever broke a promise. The process's exit code. */
async function torture(options: TortureOptions): Promise<number> {
  const { kills, seed, losesPower, checksMemory, encrypts, keeps } = options
  const why = losesPower ? await whyNoLooseVolume() : undefined
  if (why !== undefined) {
    console.error(`--power-loss cannot be had here: ${why}`)
    return 2
  }
  const volume = losesPower ? await looseVolume(VOLUME_BYTES) : await plainVolume()
  const run = new Run(seed, volume, encrypts)
  const startedAt = Date.now()
  const seconds = () => `${((Date.now() - startedAt) / 1000).toFixed(0)} s`
  let killed = 0
  let isFailed = true
  // A cycle is short: it ends first, so that no server is left behind.
  let isInterrupted = false
  const interrupt = () => {
    isInterrupted = true
  }
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  console.log(
    `torture: seed ${seed}, ${checksMemory ? 'memory check' : `${kills} ${losesPower ? 'power cuts' : 'kills'}`}`,
  )
  try {
    await run.begin()
    if (checksMemory) await checkMemory(run)
    else {
      while (killed < kills && !isInterrupted) {
        await run.cycle(++killed)
        if (killed % PROGRESS_EVERY !== 0 && killed !== kills) continue
        await run.checkCollection()
        console.log(
          `${killed} of ${kills}: ${run.operations} operations, ${run.unanswered} cut off, all explained (${seconds()})`,
        )
      }
    }
    isFailed = false
    if (isInterrupted) return 130
    console.log(`torture: nothing was broken (seed ${seed}, ${seconds()})`)
    return 0
  } catch (thrown) {
    const what =
      thrown instanceof ConnectionLost ? `the server went away by itself: ${String(thrown.cause)}` : String(thrown)
    console.error(`torture: BROKEN in cycle ${killed} of seed ${seed}\n${what}`)
    if (thrown instanceof Error && thrown.cause !== undefined) console.error(thrown.cause)
    console.error(
      `again: npm run torture -- --seed ${seed} --kills ${Math.max(killed, 1)}${losesPower ? ' --power-loss' : ''}`,
    )
    return 1
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    if (isFailed && keeps) {
      await run.end()
      console.error(`kept: ${volume.path}`)
    } else await cleanUp(run, volume)
  }
}

async function checkMemory(run: Run): Promise<void> {
  let warmBytes = 0
  for (let round = 1; round <= WARM_UP_ROUNDS + MEASURED_ROUNDS; round++) {
    await run.load(round, LOAD_ROUND_MS)
    const bytes = await residentBytes(run.processId)
    console.log(`round ${round}: ${(bytes / 2 ** 20).toFixed(1)} MB, ${run.operations} operations`)
    if (round <= WARM_UP_ROUNDS) warmBytes = Math.max(warmBytes, bytes)
    else if (bytes > warmBytes + GROWTH_BYTES_MAX)
      throw new Error(`the process grew from ${warmBytes} to ${bytes} bytes under constant load`)
  }
}

async function residentBytes(processId: number): Promise<number> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024
}

async function cleanUp(run: Run, volume: Volume): Promise<void> {
  await run.end()
  await volume.remove()
}

try {
  const options = readOptions(process.argv.slice(2))
  if (options === 'help') console.log(USAGE)
  else process.exitCode = await torture(options)
} catch (thrown) {
  console.error(thrown instanceof Error ? thrown.message : thrown)
  console.error(USAGE)
  process.exitCode = 2
}
