import type { Finding } from './finding.ts'

/** A rule by which the owner of a registry sets findings aside, for a reason and for a time. */
export interface Suppression {
  readonly id: string
  /** The flaw, by any of its ids. */
  readonly vulnerability: string
  /** Only in this repository of the registry; all when absent. */
  readonly repositoryName?: string | undefined
  /** Only in packages of this name, as installed or as built. */
  readonly packageName?: string | undefined
  readonly reason: string
  readonly createdBy: string
  readonly createdAt: Date
  /** From then on the findings count again. Absent: until the rule is deleted. */
  readonly expiresAt?: Date | undefined
}

/** Sets findings aside by the rules that hold at this moment in a repository. What is suppressed already stays as it is. */
export function applySuppressions(
  findings: readonly Finding[],
  suppressions: readonly Suppression[],
  repositoryName: string,
  now: Date,
): readonly Finding[] {
  const holding = suppressions.filter(
    (rule) =>
      (rule.expiresAt === undefined || rule.expiresAt.getTime() > now.getTime()) &&
      (rule.repositoryName === undefined || rule.repositoryName === repositoryName),
  )
  return findings.map((finding) => {
    if (finding.status.kind === 'suppressed') return finding
    const rule = holding.find((one) => concerns(one, finding))
    if (rule === undefined) return finding
    const { id, reason, expiresAt } = rule
    return { ...finding, status: { kind: 'suppressed', by: 'rule', source: id, reason, until: expiresAt } }
  })
}

function concerns({ vulnerability, packageName }: Suppression, finding: Finding): boolean {
  if (vulnerability !== finding.id && !finding.aliases.includes(vulnerability)) return false
  const { name, sourceName } = finding.package
  return packageName === undefined || packageName === name || packageName === sourceName
}
