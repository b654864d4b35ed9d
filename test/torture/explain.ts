import type { Contents } from './content.ts'
import type { Operation } from './operation.ts'
import { describeImages, type RepositoryState } from './specification.ts'

/** What was before, every call in the order they began, and what was found: for whoever looks into a violation. */
export function explain(
  contents: Contents,
  before: RepositoryState,
  history: readonly Operation[],
  observed: RepositoryState,
): string {
  const short = (text: string) => text.replace(/sha256:[0-9a-f]{64}/g, (digest) => contents.nameOf(digest))
  const start = history[0]?.calledAt ?? 0
  const time = (at: number) => (at === Infinity ? '…' : (at - start).toFixed(1)).padStart(7)
  const lines = [...history]
    .sort((a, b) => a.calledAt - b.calledAt)
    .map(({ client, call, calledAt, returnedAt, outcome = '?', upload }) => {
      const { kind, ...facts } = call
      const said = `${kind} ${JSON.stringify(facts)} → ${outcome}${upload === undefined ? '' : ` (${upload})`}`
      return `${time(calledAt)} ${time(returnedAt)}  ${client.padEnd(8)} ${short(said)}`
    })
  return [`  before: ${describe(before, short)}`, ...lines, `  found:  ${describe(observed, short)}`].join('\n')
}

function describe(state: RepositoryState, short: (text: string) => string): string {
  if (!state.exists) return 'no such repository'
  const { mutability, archived, links } = state
  return short(
    `${mutability} images [${describeImages(state)}] archived [${[...archived].join(' ')}] links [${[...links.keys()].join(' ')}]`,
  )
}
