import { compareDigits } from './digits.ts'
import { comparePrerelease } from './semver.ts'

/** Orders versions of NuGet: semantic ones with any number of numbers and without regard to case. */
export function compareNuget(a: string, b: string): number {
  const left = parse(a)
  const right = parse(b)
  for (let at = 0; at < Math.max(left.numbers.length, right.numbers.length); at++) {
    const difference = compareDigits(left.numbers[at] ?? '', right.numbers[at] ?? '')
    if (difference !== 0) return difference
  }
  return comparePrerelease(left.prerelease, right.prerelease)
}

function parse(version: string): { readonly numbers: readonly string[]; readonly prerelease: string | undefined } {
  const bare = version.trim().replace(/^v/i, '').replace(/\+.*$/, '').toLowerCase()
  const [numbers = ''] = /^[0-9]+(?:\.[0-9]+)*/.exec(bare) ?? []
  const rest = bare.slice(numbers.length)
  return { numbers: numbers.split('.'), prerelease: rest === '' ? undefined : rest.replace(/^-/, '') }
}
