import { Cvss2, Cvss3P0, Cvss3P1, Cvss4P0 } from 'ae-cvss-calculator'
import type { SeverityStatement } from './advisory.ts'

export type CvssVersion = '2.0' | '3.0' | '3.1' | '4.0'

export interface CvssScore {
  readonly version: CvssVersion
  readonly vector: string
  readonly baseScore: number
}

/** Reads a CVSS vector and computes its base score; `undefined` when it is malformed or leaves a base metric out. */
export function scoreOf({ kind, value }: SeverityStatement): CvssScore | undefined {
  if (kind === 'word') return undefined
  const known = scores.get(value)
  if (known !== undefined) return known ?? undefined
  const score = compute(kind, value.trim())
  if (scores.size >= SCORES_MAX) scores.clear()
  scores.set(value, score ?? null)
  return score
}

/** Few vectors make up most of all records. */
const scores = new Map<string, CvssScore | null>()
const SCORES_MAX = 20_000
const VECTOR_LENGTH_MAX = 300

function compute(kind: SeverityStatement['kind'], text: string): CvssScore | undefined {
  if (text.length > VECTOR_LENGTH_MAX) return undefined
  const version = versionOf(kind, text)
  if (version === undefined) return undefined
  const vector = version === '2.0' ? text.replace(/^\(|\)$|^CVSS:2\.0\//g, '') : text
  try {
    const { base } = new CALCULATORS[version](vector).calculateScores()
    return base === undefined || Number.isNaN(base) ? undefined : { version, vector, baseScore: base }
  } catch {
    return undefined
  }
}

const CALCULATORS = { '2.0': Cvss2, '3.0': Cvss3P0, '3.1': Cvss3P1, '4.0': Cvss4P0 } as const

function versionOf(kind: SeverityStatement['kind'], vector: string): CvssVersion | undefined {
  if (vector.startsWith('CVSS:3.0/')) return '3.0'
  if (vector.startsWith('CVSS:3.1/')) return '3.1'
  if (vector.startsWith('CVSS:4.0/')) return '4.0'
  return kind === 'CVSS_V2' ? '2.0' : undefined
}
