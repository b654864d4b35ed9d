import type { ScanFailure } from '../../domain/scanning/scan.ts'
import type { EngineReport } from './scan-engine.ts'

const REASON_LENGTH_MAX = 500

/** A scan by another scanner that came to nothing: never one without findings. */
export function failedReport(scanner: string, thrown: unknown): EngineReport {
  const reason = (thrown instanceof Error ? thrown.message : String(thrown)).replace(/\s+/g, ' ').trim()
  const sentence = `${scanner} could not scan the image: ${reason.slice(0, REASON_LENGTH_MAX)}`
  return { findings: [], coverage: [], failure: { code: 'engine', reason: sentence } }
}

/** What is wrong with what a scanner compares with: too old. One that does not say how old it is, is believed. */
export function staleFailure(
  scanner: string,
  updatedAt: Date | undefined,
  now: Date,
  ageMsMax: number,
): ScanFailure | undefined {
  if (updatedAt === undefined || now.getTime() - updatedAt.getTime() <= ageMsMax) return undefined
  const day = updatedAt.toISOString().slice(0, 10)
  return { code: 'engine', reason: `The database of ${scanner} is of ${day}, which is too old.` }
}
