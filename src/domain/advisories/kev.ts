import type { KnownExploited } from './finding.ts'

/** Whether a JSON document has the form of CISA's catalogue of known exploited vulnerabilities. */
export function isKevCatalogue(value: unknown): value is { readonly vulnerabilities: readonly unknown[] } {
  const vulnerabilities = (value as { readonly vulnerabilities?: unknown } | null)?.vulnerabilities
  return Array.isArray(vulnerabilities)
}

/** The catalogue by CVE. Entries that name none are left out. */
export function parseKev(catalogue: {
  readonly vulnerabilities: readonly unknown[]
}): ReadonlyMap<string, KnownExploited> {
  const found = new Map<string, KnownExploited>()
  for (const value of catalogue.vulnerabilities) {
    const entry = (value ?? {}) as Readonly<Record<string, unknown>>
    const { cveID, dateAdded, dueDate, knownRansomwareCampaignUse: use } = entry
    if (typeof cveID !== 'string' || typeof dateAdded !== 'string') continue
    found.set(cveID, {
      addedOn: dateAdded,
      dueOn: typeof dueDate === 'string' ? dueDate : undefined,
      isUsedByRansomware: use === 'Known',
    })
  }
  return found
}
