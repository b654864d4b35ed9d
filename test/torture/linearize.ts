import type { Operation } from './operation.ts'
import type { RepositoryState, Specification } from './specification.ts'

/** Beyond so many steps a history counts as unexplained; sound ones need a few per operation. */
const STEPS_MAX = 400_000

/** How far the search came: the answered operations that it could place nowhere, and the state it had come to. */
export interface DeadEnd {
  readonly state: RepositoryState
  readonly left: readonly Operation[]
}

/**
 * Whether some order explains a history: one in which no operation comes before another that had ended when it began,
 * every answer is the one that the specification gives, and the end is accepted. Operations without an answer may be
 * anywhere after their call, or nowhere (Wing and Gong's search, remembering where it has been).
 */
export function isExplained(
  specification: Specification,
  start: RepositoryState,
  history: readonly Operation[],
  isEnd: (state: RepositoryState) => boolean,
  onDeadEnd: (furthest: DeadEnd) => void = () => {},
): boolean {
  // Those that ended first are the likeliest to have come first.
  const operations = [...history].sort((a, b) => a.returnedAt - b.returnedAt)
  const answered = operations.filter(({ outcome }) => outcome !== undefined).length
  const seen = new Set<string>()
  const done = operations.map(() => false)
  let steps = 0
  let furthest: DeadEnd = { state: start, left: operations }

  const search = (state: RepositoryState, left: number): boolean => {
    if (left === 0 && isEnd(state)) return true
    if (++steps > STEPS_MAX) return false
    const key = `${done.map(Number).join('')} ${keyOf(state)}`
    if (seen.has(key)) return false
    seen.add(key)
    if (left <= furthest.left.length) {
      const isLeft = (operation: Operation, at: number) => !done[at] && operation.outcome !== undefined
      furthest = { state, left: operations.filter(isLeft) }
    }
    const firstReturn = operations.find((_, at) => !done[at])?.returnedAt ?? Infinity
    for (const [at, operation] of operations.entries()) {
      if (done[at] || operation.calledAt > firstReturn) continue
      done[at] = true
      const isAnswered = operation.outcome !== undefined
      for (const { outcome, next } of specification.possibilities(state, operation)) {
        if (isAnswered && outcome !== operation.outcome) continue
        if (!isAnswered && next === state) continue
        if (search(next, isAnswered ? left - 1 : left)) return true
      }
      done[at] = false
    }
    return false
  }
  const isFound = search(start, answered)
  if (!isFound) onDeadEnd(furthest)
  return isFound
}

function keyOf({ exists, mutability, images, archived, tags, links, uploads }: RepositoryState): string {
  const sorted = (entries: Iterable<unknown>) => [...entries].map(String).sort().join(',')
  return [exists, mutability, sorted(images), sorted(archived), sorted(tags), sorted(links), sorted(uploads)].join(';')
}
