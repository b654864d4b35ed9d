import { compareDigits, compareText } from './digits.ts'

/** Orders RPM versions, `[epoch:]version[-release]`, as rpm does; a version without a release is the lower one. */
export function compareRpm(a: string, b: string): number {
  const left = split(a)
  const right = split(b)
  return (
    compareDigits(left.epoch, right.epoch) ||
    compareSegments(left.version, right.version) ||
    compareReleases(left.release, right.release)
  )
}

interface Parts {
  readonly epoch: string
  readonly version: string
  readonly release: string | undefined
}

function split(text: string): Parts {
  const epoch = /^([0-9]+):/.exec(text)?.[1]
  const rest = epoch === undefined ? text : text.slice(epoch.length + 1)
  const dash = rest.lastIndexOf('-')
  return {
    epoch: epoch ?? '',
    version: dash < 0 ? rest : rest.slice(0, dash),
    release: dash < 0 ? undefined : rest.slice(dash + 1),
  }
}

function compareReleases(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return compareSegments(a, b)
}

/** Segments are runs of digits or of letters; a tilde sorts before the end, a caret just behind it, digits above letters. */
function compareSegments(a: string, b: string): number {
  const left = segmentsOf(a)
  const right = segmentsOf(b)
  for (let at = 0; ; at++) {
    const [one, other] = [left[at], right[at]]
    if (one === '~' || other === '~') {
      if (one !== other) return one === '~' ? -1 : 1
      continue
    }
    if (one === '^' || other === '^') {
      if (one === other) continue
      if (one === undefined) return -1
      if (other === undefined) return 1
      return one === '^' ? -1 : 1
    }
    if (one === undefined || other === undefined) return Number(one !== undefined) - Number(other !== undefined)
    const difference = compareSegment(one, other)
    if (difference !== 0) return difference
  }
}

function compareSegment(a: string, b: string): number {
  const isNumberA = a.charCodeAt(0) <= 57
  const isNumberB = b.charCodeAt(0) <= 57
  if (isNumberA !== isNumberB) return isNumberA ? 1 : -1
  return isNumberA ? compareDigits(a, b) : compareText(a, b)
}

function segmentsOf(text: string): readonly string[] {
  return text.match(/[0-9]+|[A-Za-z]+|[~^]/g) ?? []
}
