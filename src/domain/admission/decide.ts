import type { Severity } from '../advisories/severity.ts'
import type { AdmissionRule } from './rule.ts'
import { reaches } from './rule.ts'

/** A finding as a rule sees it. Those that are set aside, by a rule or by a VEX document, are not among them. */
export interface AdmissionFinding {
  readonly id: string
  readonly packageName: string
  readonly severity: Severity
  readonly isFixable: boolean
}

/**
 * What is known of an image: `none`, it was never scanned, or is being scanned for the first time; `failed`, a scan could
 * not tell; `done`.
 */
export type AdmissionFacts =
  | { readonly state: 'none' }
  | { readonly state: 'failed'; readonly reason: string }
  | {
      readonly state: 'done'
      /** The moment for which the findings hold. */
      readonly asOf: Date
      readonly findings: readonly AdmissionFinding[]
    }

const NAMED_MAX = 3

/** Why a rule refuses an image; `undefined`: it does not. What is not known to be fine is refused. */
export function refusalOf(rule: AdmissionRule, facts: AdmissionFacts, now: Date): string | undefined {
  if (facts.state === 'none') return 'the image has not been scanned'
  if (facts.state === 'failed') return `the image could not be scanned: ${facts.reason.replace(/\.$/, '')}`
  const { asOf, findings } = facts
  const { severity: limit, ageMsMax, ignoresUnfixed } = rule
  if (ageMsMax !== undefined && now.getTime() - asOf.getTime() > ageMsMax)
    return `the scan of the image is too old: it is of ${asOf.toISOString()}`
  if (limit === undefined) return undefined
  const counted = findings.filter((one) => reaches(one.severity, limit) && (one.isFixable || !ignoresUnfixed))
  if (counted.length === 0) return undefined
  const named = counted
    .slice(0, NAMED_MAX)
    .map(({ id, packageName, severity }) => `${id} in ${packageName} (${severity})`)
  const others = counted.length > NAMED_MAX ? ` and ${counted.length - NAMED_MAX} more` : ''
  const limitWords = limit === 'UNDEFINED' ? 'any severity' : limit === 'CRITICAL' ? limit : `${limit} or worse`
  return `the image has ${counted.length} finding${counted.length === 1 ? '' : 's'} of ${limitWords}: ${named.join(', ')}${others}`
}
