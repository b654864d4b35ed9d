import { compareSemver } from './semver.ts'

/**
 * Orders versions of Go modules and of the Go release: `v1.2.3`, `1.2.3+incompatible`, pseudo-versions, `go1.21.0`,
 * `go1.21rc2`.
 */
export function compareGo(a: string, b: string): number {
  return compareSemver(asSemver(a), asSemver(b))
}

/** Releases of Go have no dash before `rc` and `beta`. */
function asSemver(version: string): string {
  return version
    .trim()
    .replace(/^go(?=[0-9])/, '')
    .replace(/^(v?[0-9]+(?:\.[0-9]+){1,2})(rc|beta)([0-9]+)/, '$1-$2.$3')
}
