/** Where people read about a record of a database, or about a CVE. */
export function urlOf(id: string, ecosystem = ''): string {
  const cve = /CVE-[0-9]{4}-[0-9]+$/.exec(id)?.[0]
  if (cve !== undefined) {
    if (ecosystem.startsWith('Debian')) return `https://security-tracker.debian.org/tracker/${cve}`
    if (ecosystem.startsWith('Ubuntu')) return `https://ubuntu.com/security/${cve}`
    if (/^(Red Hat|AlmaLinux|Rocky)/.test(ecosystem)) return `https://access.redhat.com/security/cve/${cve}`
    if (/^(open)?SUSE/.test(ecosystem)) return `https://www.suse.com/security/cve/${cve}`
    if (ecosystem.startsWith('Alpine')) return `https://cve.mitre.org/cgi-bin/cvename.cgi?name=${cve}`
    return `https://nvd.nist.gov/vuln/detail/${cve}`
  }
  const [prefix = ''] = id.split('-', 1)
  const page = PAGES.get(prefix)
  return page === undefined ? `https://osv.dev/vulnerability/${encodeURIComponent(id)}` : page(id)
}

const PAGES: ReadonlyMap<string, (id: string) => string> = new Map(
  Object.entries<(id: string) => string>({
    GHSA: (id) => `https://github.com/advisories/${encodeURIComponent(id)}`,
    GO: (id) => `https://pkg.go.dev/vuln/${encodeURIComponent(id)}`,
    RUSTSEC: (id) => `https://rustsec.org/advisories/${encodeURIComponent(id)}.html`,
    DSA: (id) => `https://security-tracker.debian.org/tracker/${encodeURIComponent(id)}`,
    DLA: (id) => `https://security-tracker.debian.org/tracker/${encodeURIComponent(id)}`,
    USN: (id) => `https://ubuntu.com/security/notices/${encodeURIComponent(id)}`,
    RHSA: (id) => `https://access.redhat.com/errata/${encodeURIComponent(id)}`,
  }),
)

/** The database that a record belongs to, in capitals: `GHSA`, `DEBIAN`, `NVD` for a bare CVE. */
export function databaseOf(id: string): string {
  if (/^CVE-/.test(id)) return 'NVD'
  const [prefix = id] = id.split('-', 1)
  return prefix.toUpperCase()
}
