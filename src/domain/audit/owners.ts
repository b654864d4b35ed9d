import type { DecidedAccess } from './decided-access.ts'

/** The accounts that own what was decided about, by its ARNs. */
export function ownersOf(decisions: readonly Pick<DecidedAccess, 'resource'>[]): readonly string[] {
  const owners = new Set<string>()
  for (const { resource } of decisions) {
    const account = resource.split(':', 5)[4]
    if (account !== undefined && /^\d{12}$/.test(account)) owners.add(account)
  }
  return [...owners]
}
