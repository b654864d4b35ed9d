import type { ReportedTest } from '../support/junit.ts'

/**
 * The tests of the OCI conformance suite that end in a skip, each with the reason why that is right.
 * A skip that is not listed fails, and so does a listed one that no longer happens.
 */
export const expectedSkips: Readonly<Record<string, string>> = {}

/** What the suite offers and is not asked for, each told as a skip. */
export const notAsked: readonly ReportedTest[] = [
  {
    name: 'sparse',
    outcome: 'skipped',
    reason: 'ECR refuses a manifest whose layers or children are not there, and so does Ecru; OCI allows either',
  },
]
