import type { Contents } from './content.ts'
import type { DeadEnd } from './linearize.ts'
import type { Operation } from './operation.ts'
import { describeImages, type RepositoryState } from './specification.ts'

/** Those behind the first few come after what could not be placed. */
const LEFT_SHOWN = 8

/** What was before, every call in the order they began, and what was found: for whoever looks into a violation. */
export function explain(
  contents: Contents,
  before: RepositoryState,
  history: readonly Operation[],
  observed: RepositoryState,
  { state, left }: DeadEnd,
): string {
  const short = (text: string) => text.replace(/sha256:[0-9a-f]{64}/g, (digest) => contents.nameOf(digest))
  const start = history[0]?.calledAt ?? 0
  const time = (at: number) => (at === Infinity ? '…' : (at - start).toFixed(1)).padStart(7)
  const line = ({ client, call, calledAt, returnedAt, outcome = '?', upload }: Operation) => {
    const { kind, ...facts } = call
    const said = `${kind} ${JSON.stringify(facts)} → ${outcome.trim()}${upload === undefined ? '' : ` (${upload})`}`
    return `${time(calledAt)} ${time(returnedAt)}  ${client.padEnd(8)} ${short(said)}`
  }
  return [
    `  before: ${describe(before, short)}`,
    ...[...history].sort((a, b) => a.calledAt - b.calledAt).map(line),
    `  found:  ${describe(observed, short)}`,
    `  The furthest that an order could be followed: ${describe(state, short)}`,
    `  ${left.length === 0 ? 'which is not what was found' : 'where no answer fits of'}`,
    ...left.slice(0, LEFT_SHOWN).map(line),
  ].join('\n')
}

function describe(state: RepositoryState, short: (text: string) => string): string {
  if (!state.exists) return 'no such repository'
  const { mutability, archived, links } = state
  return short(
    `${mutability} images [${describeImages(state)}] archived [${[...archived].join(' ')}] links [${[...links.keys()].join(' ')}]`,
  )
}
