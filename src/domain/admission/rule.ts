import type { Severity } from '../advisories/severity.ts'
import type { Digest } from '../digest.ts'
import { invalidParameters } from '../errors.ts'
import { wildcard } from '../wildcard.ts'

/** The severities that a rule can name, the worst first; `UNDEFINED`: any finding at all. */
export const ADMISSION_SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'INFORMATIONAL', 'UNDEFINED'] as const
export type AdmissionSeverity = (typeof ADMISSION_SEVERITIES)[number]

/** An image that a rule lets through, whatever is found in it. */
export interface ExemptDigest {
  readonly digest: Digest
  /** From then on the rule holds again; absent: until it is changed. */
  readonly until?: Date | undefined
}

/** Which images may be pulled. */
export interface AdmissionRule {
  /** The repositories that it is for: a name, or a pattern with `*`. One rule for each. */
  readonly repositories: string
  /** Findings of this severity or worse refuse a pull; absent: none do. */
  readonly severity?: AdmissionSeverity | undefined
  /** Findings that nothing can be done about yet do not count. */
  readonly ignoresUnfixed: boolean
  /** A scan that is older counts as none; absent: it may be of any age. */
  readonly ageMsMax?: number | undefined
  /** What would be refused is let through, and told. */
  readonly isDryRun: boolean
  /** ARNs of those whom the rule does not concern, with `*` for any run of characters: scanners, above all. */
  readonly exemptPrincipals: readonly string[]
  readonly exemptDigests: readonly ExemptDigest[]
  readonly changedAt: Date
}

const NAME = /^[a-z0-9*](?:[a-z0-9._/*-]{0,254}[a-z0-9*])?$/
const PRINCIPAL = /^(?:\*|arn:[\w:/+=,.@*-]{1,1000})$/
const LIST_MAX = 100
const AGE_MS_MAX = 10 * 365 * 86_400_000

/** Throws `invalid-parameter` for a rule that could not act as it says. */
export function checkAdmissionRule({ repositories, ageMsMax, exemptPrincipals, exemptDigests }: AdmissionRule): void {
  if (!NAME.test(repositories))
    throw invalidParameters('A rule is for a repository, or for a pattern of their names such as team/*.')
  if (ageMsMax !== undefined && !(Number.isSafeInteger(ageMsMax) && ageMsMax > 0 && ageMsMax <= AGE_MS_MAX))
    throw invalidParameters('A scan may be at most so old: a duration between 1s and 3650d.')
  if (exemptPrincipals.length > LIST_MAX || exemptDigests.length > LIST_MAX)
    throw invalidParameters(`A rule has ${LIST_MAX} exempt principals and ${LIST_MAX} exempt images at most.`)
  const wrong = exemptPrincipals.find((pattern) => !PRINCIPAL.test(pattern))
  if (wrong !== undefined) throw invalidParameters(`'${wrong.slice(0, 128)}' is no ARN and no pattern of ARNs.`)
}

/** The rule that holds in a repository: its own, else that of the longest pattern which matches; never two. */
export function ruleFor(rules: readonly AdmissionRule[], repositoryName: string): AdmissionRule | undefined {
  const own = rules.find((rule) => rule.repositories === repositoryName)
  if (own !== undefined) return own
  const [first] = rules
    .filter(({ repositories }) => repositories.includes('*') && wildcard(repositories)(repositoryName))
    .toSorted((a, b) => literalLength(b) - literalLength(a) || (a.repositories < b.repositories ? -1 : 1))
  return first
}

function literalLength({ repositories }: AdmissionRule): number {
  return repositories.replaceAll('*', '').length
}

/** Whether somebody is not concerned: by the ARN that policies know him by, or that of the role behind his session. */
export function isExemptPrincipal({ exemptPrincipals }: AdmissionRule, arns: readonly string[]): boolean {
  return exemptPrincipals.some((pattern) => arns.some(wildcard(pattern)))
}

/** Whether the rule lets an image pass by its digest, at that moment. */
export function isExemptDigest({ exemptDigests }: AdmissionRule, digest: Digest, now: Date): boolean {
  return exemptDigests.some((one) => one.digest === digest && (one.until === undefined || one.until > now))
}

/** Whether a severity is as bad as the limit, or worse. What nobody has judged yet reaches the last limit only. */
export function reaches(severity: Severity, limit: AdmissionSeverity): boolean {
  if (severity === 'UNDEFINED' || severity === 'UNTRIAGED') return limit === 'UNDEFINED'
  return ADMISSION_SEVERITIES.indexOf(severity) <= ADMISSION_SEVERITIES.indexOf(limit)
}
