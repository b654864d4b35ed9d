import type { Finding } from '../../src/domain/advisories/finding.ts'
import type { Digest } from '../../src/domain/digest.ts'

/** A finding of CVE-2026-1 in the package libssl3 of Debian. */
export function findingOf(changes: Partial<Finding> = {}): Finding {
  return {
    id: 'CVE-2026-1',
    aliases: ['DEBIAN-CVE-2026-1'],
    advisories: [{ id: 'DEBIAN-CVE-2026-1', ecosystem: 'Debian:12', url: 'https://example.com' }],
    package: {
      type: 'deb',
      name: 'libssl3',
      version: '3.0.9-1',
      sourceName: 'openssl',
      layerDigest: `sha256:${'0'.repeat(64)}` as Digest,
      licences: [],
      purl: 'pkg:deb/debian/libssl3@3.0.9-1?arch=amd64&distro=debian-12',
    },
    vulnerableName: 'openssl',
    installedVersion: '3.0.9-1',
    fixedVersions: ['3.0.10-1'],
    severity: 'HIGH',
    enhancedSeverity: 'HIGH',
    cvss: [],
    title: '',
    description: '',
    url: 'https://example.com',
    references: [],
    modifiedAt: new Date(0),
    isExploitAvailable: false,
    status: { kind: 'active' },
    ...changes,
  }
}
