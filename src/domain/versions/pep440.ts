import { compareDigits, compareText, isDigits } from './digits.ts'

/** Orders versions of Python packages as PEP 440 does; what is none comes before all that are, in the order that setuptools once had. */
export function comparePep440(a: string, b: string): number {
  const left = parse(a)
  const right = parse(b)
  if (left === undefined || right === undefined) {
    if (left !== undefined || right !== undefined) return left === undefined ? -1 : 1
    return compareLegacy(a, b)
  }
  return (
    compareDigits(left.epoch, right.epoch) ||
    compareRelease(left.release, right.release) ||
    comparePhase(left.pre, right.pre) ||
    comparePhase(left.post, right.post) ||
    comparePhase(left.dev, right.dev) ||
    compareLocal(left.local, right.local)
  )
}

/** A phase of a release: its place among the others, then its number. */
interface Phase {
  readonly place: number
  readonly number: string
}

interface Version {
  readonly epoch: string
  readonly release: readonly string[]
  readonly pre: Phase
  readonly post: Phase
  readonly dev: Phase
  readonly local: string | undefined
}

const FORM =
  /^v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)(?:[-_.]?(alpha|beta|preview|pre|a|b|c|rc)[-_.]?([0-9]*))?(?:-([0-9]+)|[-_.]?(post|rev|r)[-_.]?([0-9]*))?(?:[-_.]?(dev)[-_.]?([0-9]*))?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/

const FIRST: Phase = { place: -1, number: '' }
const LAST: Phase = { place: 9, number: '' }

function parse(text: string): Version | undefined {
  const found = FORM.exec(text.trim().toLowerCase())
  if (found === null) return undefined
  const [, epoch = '', release = '', preName, preNumber = '', plainPost, postName, postNumber = ''] = found
  const [devName, devNumber = '', local] = found.slice(8)
  const hasPost = plainPost !== undefined || postName !== undefined
  return {
    epoch,
    release: release.split('.'),
    pre: phaseBefore(preName, preNumber, hasPost, devName !== undefined),
    post: hasPost ? { place: 0, number: plainPost ?? postNumber } : FIRST,
    dev: devName === undefined ? LAST : { place: 0, number: devNumber },
    local,
  }
}

/** A development release of the final version comes before its alphas. */
function phaseBefore(name: string | undefined, number: string, hasPost: boolean, isDev: boolean): Phase {
  if (name !== undefined) return { place: name.startsWith('a') ? 0 : name.startsWith('b') ? 1 : 2, number }
  return isDev && !hasPost ? FIRST : LAST
}

function comparePhase(a: Phase, b: Phase): number {
  return a.place - b.place || compareDigits(a.number, b.number)
}

function compareRelease(a: readonly string[], b: readonly string[]): number {
  for (let at = 0; at < Math.max(a.length, b.length); at++) {
    const difference = compareDigits(a[at] ?? '', b[at] ?? '')
    if (difference !== 0) return difference
  }
  return 0
}

/** Numbers above texts, and one part more above. */
function compareLocal(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  const left = a.split(/[-_.]/)
  const right = b.split(/[-_.]/)
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const [one, other] = [left[at] ?? '', right[at] ?? '']
    const [isNumberA, isNumberB] = [isDigits(one), isDigits(other)]
    const difference =
      isNumberA && isNumberB
        ? compareDigits(one, other)
        : Number(isNumberA) - Number(isNumberB) || compareText(one, other)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

function compareLegacy(a: string, b: string): number {
  const left = legacyKey(a)
  const right = legacyKey(b)
  for (let at = 0; at < Math.min(left.length, right.length); at++) {
    const difference = compareText(left[at] ?? '', right[at] ?? '')
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

const LEGACY_WORDS: ReadonlyMap<string, string> = new Map([
  ['pre', 'c'],
  ['preview', 'c'],
  ['-', 'final-'],
  ['rc', 'c'],
  ['dev', '@'],
])

/** Numbers are padded, words are starred, a dash stands for what follows the final release. */
function legacyKey(version: string): readonly string[] {
  const key: string[] = []
  const add = (part: string) => {
    if (part.startsWith('*')) {
      if (part < '*final') while (key.at(-1) === '*final-') key.pop()
      while (key.at(-1) === '00000000') key.pop()
    }
    key.push(part)
  }
  for (const piece of version.toLowerCase().match(/[0-9]+|[a-z]+|\.|-|[^0-9a-z.-]+/g) ?? []) {
    const part = LEGACY_WORDS.get(piece) ?? piece
    if (part !== '.') add(/^[0-9]/.test(part) ? part.padStart(8, '0') : `*${part}`)
  }
  add('*final')
  return key
}
