import type { Row, Samples } from './row.ts'
import { advantage, figuresOf } from './row.ts'
import { median } from './statistics.ts'

/** Everything a report tells besides the rows. */
export interface Circumstances {
  readonly date: Date
  readonly machine: readonly string[]
  /** Contestant → version, or the reason it is missing. */
  readonly contestants: ReadonlyMap<string, string>
  readonly registries: readonly string[]
  readonly repetitions: number
  readonly command: string
  readonly notes: readonly string[]
}

/** The result as Markdown: a table of figures and ratios, then what the figures stand on. */
export function report(rows: readonly Row[], circumstances: Circumstances): string {
  const { date, machine, contestants, registries, repetitions, command, notes } = circumstances
  return [
    table(rows, registries),
    '',
    `Medians of ${repetitions} measurements after a warm-up, contestants taking turns; ${date.toISOString().slice(0, 10)}, \`${command}\`.`,
    'Ratios say how many times as good Ecru is: above 1 is better than the other, whichever way the unit points.',
    'MB are 10⁶ bytes in speeds and MiB in memory.',
    '',
    ...machine.map((line) => `- ${line}`),
    ...[...contestants].map(([name, version]) => `- ${name}: ${version}`),
    ...(notes.length === 0 ? [] : ['', ...notes.map((note) => `> ${note.replaceAll('\n', ' ')}`)]),
    '',
  ].join('\n')
}

/** The report as a page of the documentation. */
export function document(rows: readonly Row[], circumstances: Circumstances): string {
  return `# Benchmarks

Ecru beside other registries and beside what the machine itself can do, measured in one run on one machine, over
loopback. The ratios are what to look at; absolute figures are those of this machine. \`npm run bench\` repeats it
(\`-- --help\` lists its options), \`bench/install-peers.sh\` installs the others. Written by
\`npm run bench -- --write docs/benchmarks.md\`.

${report(rows, circumstances)}
## How it is measured

- Every registry runs with a login, deletes enabled and its usual log to a file, on an empty directory of the same disk.
  Ecru runs from this checkout with its defaults: every push is flushed to the disk before it is answered. The peers
  answer before their bytes are on the disk; one row adds a \`sync\` for all.
- The peers check passwords with bcrypt at its lowest cost. It still is most of what they do for a small request, so
  manifests are measured once more with their authentication off and Ecru's on.
- Reads come from the page cache; what a cold disk adds is the same for all. Before each push everything written
  earlier is flushed.
- Clients run on the same machine and take their share of it: curl for layers (once also a client that drops the
  bytes inside the kernel, since copying them costs more than sending them), wrk for GET of manifests, a small program
  on Bun for HEAD and for pushes of small layers. Servers of many threads feel this more than Ecru does.
- Of a list of tags docker-registry always sends the whole; the others send the page that was asked for.
- The slowest of the named limits is the one that the ratio and the budget refer to.
- \`bun bench/large-layer.ts --gib 5\` streams a layer of 5 GiB up and down and prints the memory that it took.
`
}

function table(rows: readonly Row[], registries: readonly string[]): string {
  const head = ['work', 'unit', ...registries, 'limit', '÷ best Go', '÷ limit', 'budget', 'met']
  const numbers = registries.length + 3
  const ruler = head.map((_, at) => (at >= 2 && at < 2 + numbers ? '---:' : '---'))
  return [head, ruler, ...rows.map((row) => cells(row, registries))].map((line) => `| ${line.join(' | ')} |`).join('\n')
}

function cells(row: Row, registries: readonly string[]): readonly string[] {
  const figures = figuresOf(row)
  const budgets = row.budgets ?? []
  return [
    row.title,
    row.unit,
    ...registries.map((name) => show(median(row.samples.get(name) ?? []))),
    limitCell(row.limits ?? new Map()),
    showRatio(advantage(row, figures.ecru, figures.bestPeer)),
    showRatio(advantage(row, figures.ecru, figures.limit)),
    budgets.map(({ text }) => text).join('; '),
    budgets.map((budget) => verdict(budget.isMet(figures))).join('; '),
  ]
}

function verdict(isMet: boolean | undefined): string {
  if (isMet === undefined) return '–'
  return isMet ? 'met' : '**missed**'
}

function limitCell(limits: Samples): string {
  return [...limits].map(([name, taken]) => `${name} ${show(median(taken))}`).join(', ')
}

function show(figure: number): string {
  if (Number.isNaN(figure)) return '–'
  if (Math.abs(figure) >= 100) return figure.toLocaleString('en', { maximumFractionDigits: 0 })
  return figure.toLocaleString('en', { maximumFractionDigits: 1 })
}

function showRatio(ratio: number): string {
  return Number.isFinite(ratio) && ratio > 0 ? ratio.toFixed(2) : ''
}
