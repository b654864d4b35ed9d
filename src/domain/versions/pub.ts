import { comparePrerelease, compareSemver } from './semver.ts'

/** Orders versions of Dart packages: semantic ones in which build metadata counts, and makes a version later. */
export function comparePub(a: string, b: string): number {
  const difference = compareSemver(a, b)
  if (difference !== 0) return difference
  const [left, right] = [buildOf(a), buildOf(b)]
  if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined)
  return comparePrerelease(left, right)
}

function buildOf(version: string): string | undefined {
  const plus = version.indexOf('+')
  return plus < 0 ? undefined : version.slice(plus + 1)
}
