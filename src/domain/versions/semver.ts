import { compareDigits, compareText, isDigits } from './digits.ts'

/**
 * Orders semantic versions, leniently: a leading `v`, missing and surplus numbers and numbers of any size are fine.
 * Build metadata does not count.
 */
export function compareSemver(a: string, b: string): number {
  const left = parse(a)
  const right = parse(b)
  return compareNumbers(left.numbers, right.numbers) || comparePrerelease(left.prerelease, right.prerelease)
}

interface Parts {
  readonly numbers: readonly string[]
  readonly prerelease: string | undefined
}

function parse(version: string): Parts {
  const text = version.trim().replace(/^[vV=]+/, '')
  const plus = text.indexOf('+')
  const bare = plus < 0 ? text : text.slice(0, plus)
  const [numbers = ''] = /^[0-9]+(?:\.[0-9]+)*/.exec(bare) ?? []
  const rest = bare.slice(numbers.length)
  return {
    // What stands behind the third number is taken for metadata.
    numbers: numbers.split('.').slice(0, 3),
    prerelease: rest === '' ? undefined : rest.replace(/^[-.]/, ''),
  }
}

function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < 3; at++) {
    const difference = compareDigits(a[at] ?? '', b[at] ?? '')
    if (difference !== 0) return difference
  }
  return 0
}

/** Compares what stands behind the dash: identifiers between dots, numbers below texts, fewer below more. */
export function comparePrerelease(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined)
  const left = a.split('.')
  const right = b.split('.')
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = compareIdentifier(left[at] ?? '', right[at] ?? '')
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function compareIdentifier(a: string, b: string): number {
  const [isNumberA, isNumberB] = [isDigits(a), isDigits(b)]
  if (isNumberA && isNumberB) return compareDigits(a, b)
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1
  return compareText(a, b)
}
