import { compareDigits } from './digits.ts'
import { compareSemver } from './semver.ts'

/** Orders versions of Bitnami's components: semantic ones, where a number behind a dash counts the builds of one version. */
export function compareBitnami(a: string, b: string): number {
  const left = split(a)
  const right = split(b)
  return compareSemver(left.version, right.version) || compareDigits(left.build, right.build)
}

function split(text: string): { readonly version: string; readonly build: string } {
  const [, version = text, build = ''] = /^([^-]*)-([0-9]+)$/.exec(text.trim()) ?? []
  return { version, build }
}
