import { readFile, writeFile } from 'node:fs/promises'

const SAMPLE_EVERY_MS = 20
const SETTLE_EVERY_MS = 1000
const SETTLE_SAMPLES = 6

/** The most memory that a process held at any moment of the work: the kernel's own high-water mark, or samples where it cannot be reset. */
export async function peakDuring(pid: number, work: () => Promise<void>): Promise<number> {
  const isReset = await writeFile(`/proc/${pid}/clear_refs`, '5').then(
    () => true,
    () => false,
  )
  let sampled = 0
  const sampling = setInterval(async () => {
    sampled = Math.max(sampled, await residentBytes(pid))
  }, SAMPLE_EVERY_MS)
  try {
    await work()
  } finally {
    clearInterval(sampling)
  }
  return isReset ? await memory(pid, 'VmHWM') : sampled
}

/** What it holds once left alone, the least in some seconds: its garbage collector comes within some after the last request. */
export async function settledBytes(pid: number): Promise<number> {
  let least = await residentBytes(pid)
  for (let n = 0; n < SETTLE_SAMPLES; n++) {
    await Bun.sleep(SETTLE_EVERY_MS)
    least = Math.min(least, await residentBytes(pid))
  }
  return least
}

/** What it holds now. */
export function residentBytes(pid: number): Promise<number> {
  return memory(pid, 'VmRSS')
}

async function memory(pid: number, field: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  const kilobytes = new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]
  if (kilobytes === undefined) throw new Error(`the kernel does not tell ${field}`)
  return Number(kilobytes) * 1024
}
