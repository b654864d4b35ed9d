import { readFileSync, writeFileSync } from 'node:fs'

export interface Memory {
  /** Resident now, shared file pages (the executable) included. */
  readonly residentBytes: number
  /** The part of it that is the process's own: heap and stacks, no file pages. */
  readonly anonymousBytes: number
  /** The highest resident size since the process began or since `resetPeak`. */
  readonly peakBytes: number
}

/** What Linux says of a process's memory. */
export function readMemory(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const field = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024
  return { residentBytes: field('VmRSS'), anonymousBytes: field('RssAnon'), peakBytes: field('VmHWM') }
}

/** Starts the peak anew from the present size. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}
