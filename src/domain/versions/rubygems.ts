import { compareDigits, compareText, isDigits } from './digits.ts'

/** Orders versions of gems as RubyGems does: a segment of letters makes a pre-release, zeros at the ends of the parts do not count. */
export function compareRubygems(a: string, b: string): number {
  const left = segmentsOf(a)
  const right = segmentsOf(b)
  for (let at = 0; at < Math.max(left.length, right.length); at++) {
    const difference = compareSegment(left[at] ?? '0', right[at] ?? '0')
    if (difference !== 0) return difference
  }
  return 0
}

function compareSegment(a: string, b: string): number {
  const [isNumberA, isNumberB] = [isDigits(a), isDigits(b)]
  if (isNumberA && isNumberB) return compareDigits(a, b)
  if (isNumberA !== isNumberB) return isNumberA ? 1 : -1
  return compareText(a, b)
}

/** Numbers up to the first letters, then the rest, each without the zeros at its end. */
function segmentsOf(version: string): readonly string[] {
  const segments =
    version
      .trim()
      .replaceAll('-', '.pre.')
      .match(/[0-9]+|[A-Za-z]+/g) ?? []
  const first = segments.findIndex((segment) => !isDigits(segment))
  if (first < 0) return withoutZeros(segments)
  return [...withoutZeros(segments.slice(0, first)), ...withoutZeros(segments.slice(first))]
}

function withoutZeros(segments: readonly string[]): readonly string[] {
  let end = segments.length
  while (end > 0 && /^0+$/.test(segments[end - 1] ?? '')) end--
  return segments.slice(0, end)
}
