import { compareDigits } from './digits.ts'

/** Orders versions of Haskell packages: numbers between dots, where one more makes it later. */
export function compareHackage(a: string, b: string): number {
  const left = a.split('.')
  const right = b.split('.')
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = compareDigits(left[at] ?? '', right[at] ?? '')
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
