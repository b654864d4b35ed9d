import { compareDigits } from './digits.ts'

/** Orders Debian package versions, `[epoch:]upstream[-revision]`, as Debian policy 5.6.12 says. */
export function compareDpkg(a: string, b: string): number {
  const left = split(a)
  const right = split(b)
  return (
    compareDigits(left.epoch, right.epoch) ||
    comparePart(left.upstream, right.upstream) ||
    comparePart(left.revision, right.revision)
  )
}

interface Parts {
  readonly epoch: string
  readonly upstream: string
  readonly revision: string
}

function split(version: string): Parts {
  const text = version.trim()
  const epoch = /^([0-9]+):/.exec(text)?.[1]
  const rest = epoch === undefined ? text : text.slice(epoch.length + 1)
  const dash = rest.lastIndexOf('-')
  return {
    epoch: epoch ?? '',
    upstream: dash < 0 ? rest : rest.slice(0, dash),
    revision: dash < 0 ? '' : rest.slice(dash + 1),
  }
}

/** Runs without digits and runs of digits take turns; a missing run is empty. */
function comparePart(a: string, b: string): number {
  let i = 0
  let j = 0
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigitAt(a, i)) || (j < b.length && !isDigitAt(b, j))) {
      const difference = weightAt(a, i) - weightAt(b, j)
      if (difference !== 0) return difference
      i++
      j++
    }
    const [digitsA, digitsB] = [digitsFrom(a, i), digitsFrom(b, j)]
    const difference = compareDigits(digitsA, digitsB)
    if (difference !== 0) return difference
    i += digitsA.length
    j += digitsB.length
  }
  return 0
}

function isDigitAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

/** The tilde sorts before the end, the end before letters, letters before everything else. */
function weightAt(text: string, at: number): number {
  if (at >= text.length || isDigitAt(text, at)) return 0
  const code = text.charCodeAt(at)
  if (code === 126) return -1
  const isLetter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122)
  return isLetter ? code : code + 65_536
}

function digitsFrom(text: string, at: number): string {
  let end = at
  while (end < text.length && isDigitAt(text, end)) end++
  return text.slice(at, end)
}
