import type { CvssScore } from './cvss.ts'

/** How bad a flaw is, in the words of basic scans; `UNTRIAGED` stands for `UNDEFINED` in enhanced ones. */
export type Severity = 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW' | 'INFORMATIONAL' | 'UNDEFINED' | 'UNTRIAGED'

/** The worst first. */
export const SEVERITIES: readonly Severity[] = [
  'CRITICAL',
  'HIGH',
  'MEDIUM',
  'LOW',
  'INFORMATIONAL',
  'UNDEFINED',
  'UNTRIAGED',
]

const WORDS: ReadonlyMap<string, Severity> = new Map<string, Severity>([
  ['unimportant', 'INFORMATIONAL'],
  ['negligible', 'INFORMATIONAL'],
  ['informational', 'INFORMATIONAL'],
  ['none', 'INFORMATIONAL'],
  ['low', 'LOW'],
  ['medium', 'MEDIUM'],
  ['moderate', 'MEDIUM'],
  ['high', 'HIGH'],
  ['important', 'HIGH'],
  ['critical', 'CRITICAL'],
])

/** What a database's own word means; `undefined` for one that postpones the judgement, such as `not yet assigned`. */
export function severityOfWord(word: string | undefined): Severity | undefined {
  return word === undefined ? undefined : WORDS.get(word.trim().toLowerCase())
}

/** The rating that the CVSS specifications give a score. Version 2 knows none above high and none for zero. */
export function severityOfScore({ version, baseScore }: CvssScore): Severity {
  if (baseScore >= 9 && version !== '2.0') return 'CRITICAL'
  if (baseScore >= 7) return 'HIGH'
  if (baseScore >= 4) return 'MEDIUM'
  return baseScore > 0 || version === '2.0' ? 'LOW' : 'INFORMATIONAL'
}

/** What is known of how bad a flaw is. */
export interface SeverityFacts {
  /** The word of the database that the finding is from. */
  readonly vendorSeverity: string | undefined
  /** Whether that database is a distribution's, which judges the flaw in its own package. */
  readonly isDistribution: boolean
  /** The most telling first. */
  readonly cvss: readonly CvssScore[]
}

/** Basic scans: the distribution's word, else CVSS 3, 2 and 4 in this order, else any word. */
export function basicSeverity({ vendorSeverity, isDistribution, cvss }: SeverityFacts): Severity {
  const word = severityOfWord(vendorSeverity)
  if (isDistribution && word !== undefined) return word
  const score = ofVersion(cvss, '3') ?? ofVersion(cvss, '2') ?? ofVersion(cvss, '4')
  return score === undefined ? (word ?? 'UNDEFINED') : severityOfScore(score)
}

/** Enhanced scans: CVSS 3, else the word, else what CVSS 4 or 2 say, which are not their score. */
export function enhancedSeverity({ vendorSeverity, cvss }: SeverityFacts): Severity {
  const scored = ofVersion(cvss, '3')
  if (scored !== undefined) return severityOfScore(scored)
  const beside = ofVersion(cvss, '4') ?? ofVersion(cvss, '2')
  return severityOfWord(vendorSeverity) ?? (beside === undefined ? 'UNTRIAGED' : severityOfScore(beside))
}

function ofVersion(cvss: readonly CvssScore[], version: '2' | '3' | '4'): CvssScore | undefined {
  return cvss.find((score) => score.version.startsWith(version))
}
