import { compareDigits, compareText } from './digits.ts'

/**
 * Orders versions of Alpine packages, `1.2.3[letter][_suffix[n]]…[~hash][-rN]`, as apk-tools does. What is no such version
 * comes before the valid one that it begins like; of two invalid ones that begin alike the texts are compared.
 */
export function compareApk(a: string, b: string): number {
  const left = parse(a)
  const right = parse(b)
  return (
    compareNumbers(left.numbers, right.numbers) ||
    compareText(left.letter, right.letter) ||
    compareSuffixes(left.suffixes, right.suffixes) ||
    compareDigits(left.build ?? '', right.build ?? '') ||
    Number(left.isValid) - Number(right.isValid) ||
    Number(left.rest === '') - Number(right.rest === '') ||
    (left.isValid ? 0 : compareText(a, b))
  )
}

interface Suffix {
  readonly weight: number
  readonly number: string
}

interface Parts {
  readonly numbers: readonly string[]
  readonly letter: string
  readonly suffixes: readonly Suffix[]
  readonly build: string | undefined
  readonly rest: string
  readonly isValid: boolean
}

/** Before the version without any suffix, which weighs nothing, and after it. */
const WEIGHTS: ReadonlyMap<string, number> = new Map([
  ['alpha', -4],
  ['beta', -3],
  ['pre', -2],
  ['rc', -1],
  ['cvs', 1],
  ['svn', 2],
  ['git', 3],
  ['hg', 4],
  ['p', 5],
])

const FORM =
  /^((?:[0-9]+\.?)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*)(?:~[0-9a-f]+)?(?:-r([0-9]+)|-r$)?/

function parse(version: string): Parts {
  const found = FORM.exec(version)
  const [whole = '', numbers = '', letter = '', suffixes = '', build] = found ?? []
  const rest = version.slice(whole.length)
  return {
    numbers: numbers.split('.').filter((number) => number !== ''),
    letter,
    suffixes: [...suffixes.matchAll(/_([a-z]+)([0-9]*)/g)].map(([, name = '', number = '']) => ({
      weight: WEIGHTS.get(name) ?? 0,
      number,
    })),
    build,
    rest,
    // A broken build part is only ignored.
    isValid: rest === '' || rest.startsWith('-'),
  }
}

/** Behind the first place, a number with a leading zero counts as a fraction. */
function compareNumbers(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [one, other] = [a[at], b[at]]
    if (one === undefined || other === undefined) return one === undefined ? -1 : 1
    const isFraction = at > 0 && (one.startsWith('0') || other.startsWith('0'))
    const difference = isFraction ? compareText(one, other) : compareDigits(one, other)
    if (difference !== 0) return difference
  }
  return 0
}

function compareSuffixes(a: readonly Suffix[], b: readonly Suffix[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const [one, other] = [a[at] ?? NONE, b[at] ?? NONE]
    const difference = one.weight - other.weight || compareDigits(one.number, other.number)
    if (difference !== 0) return difference
  }
  return 0
}

const NONE: Suffix = { weight: 0, number: '' }
