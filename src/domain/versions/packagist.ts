import { compareDigits, isDigits } from './digits.ts'

/** Orders versions of Composer packages, as PHP's version_compare does with Composer's spellings. */
export function comparePackagist(a: string, b: string): number {
  const left = partsOf(a)
  const right = partsOf(b)
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = comparePart(left[at] ?? '', right[at] ?? '')
    if (difference !== 0) return difference
  }
  return weighSurplus(left.slice(right.length)) - weighSurplus(right.slice(left.length))
}

/** Parts more make a version later when they begin with a number, and otherwise by what the word means. */
function weighSurplus(parts: readonly string[]): number {
  const telling = parts.find((part) => part !== NUMBER_MARK)
  if (telling === undefined) return 0
  return isDigits(telling) ? 1 : comparePart(telling, NUMBER_MARK)
}

/** Stands for any number where a word meets one. */
const NUMBER_MARK = '#'

const WEIGHTS: readonly (readonly [prefix: string, weight: number])[] = [
  ['dev', 0],
  ['a', 1],
  ['b', 2],
  ['RC', 3],
  ['rc', 3],
  ['#', 4],
  ['pl', 5],
  ['p', 5],
]

function comparePart(a: string, b: string): number {
  const [isNumberA, isNumberB] = [isDigits(a), isDigits(b)]
  if (isNumberA && isNumberB) return compareDigits(a, b)
  return weightOf(isNumberA ? NUMBER_MARK : a) - weightOf(isNumberB ? NUMBER_MARK : b)
}

/** An unknown word comes before all others. */
function weightOf(word: string): number {
  return WEIGHTS.find(([prefix]) => word.startsWith(prefix))?.[1] ?? -1
}

/** Words and numbers, at every separator and where one turns into the other. */
function partsOf(version: string): readonly string[] {
  return (
    version
      .trim()
      .replace(/^v(?=.)/i, '')
      .match(/[0-9]+|[^0-9._+-]+/g) ?? []
  )
}
