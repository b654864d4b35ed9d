import { median } from './statistics.ts'

/** Samples by contestant, in the order taken. */
export type Samples = ReadonlyMap<string, readonly number[]>

/** One line of the result: what was measured, of whom, and what is demanded of it. */
export interface Row {
  readonly title: string
  readonly unit: 'MB/s' | 'requests/s' | 'pushes/s' | 'ms' | 'MB'
  readonly better: 'higher' | 'lower'
  /** Of the registries; Ecru's are under `Ecru`. */
  readonly samples: Samples
  /** Of things that no registry can outrun; the slowest of them is the limit. */
  readonly limits?: Samples
  readonly budgets?: readonly Budget[]
}

/** A demand on Ecru, in words, and whether a row's figures meet it. */
export interface Budget {
  readonly text: string
  /** Undefined when a figure that it compares with was not measured. */
  readonly isMet: (figures: Figures) => boolean | undefined
}

/** Medians; NaN for what was not measured. */
export interface Figures {
  readonly ecru: number
  /** The best registry written by others. */
  readonly bestPeer: number
  readonly limit: number
}

/** The medians of a row that the ratios and budgets are made of. */
export function figuresOf(row: Row): Figures {
  const [best, worst] = row.better === 'higher' ? [Math.max, Math.min] : [Math.min, Math.max]
  const of = (samples: Samples) => [...samples].filter(([, taken]) => taken.length > 0)
  const peers = of(row.samples).filter(([name]) => name !== 'Ecru')
  const limits = of(row.limits ?? new Map())
  const pick = (choose: (...values: number[]) => number, from: typeof peers) =>
    from.length === 0 ? Number.NaN : choose(...from.map(([, taken]) => median(taken)))
  return { ecru: median(row.samples.get('Ecru') ?? []), bestPeer: pick(best, peers), limit: pick(worst, limits) }
}

/** How many times as good as another a figure is: above 1 is better, whichever way is up. */
export function advantage(row: Row, figure: number, other: number): number {
  return row.better === 'higher' ? figure / other : other / figure
}

/** Demands a share of the best peer's speed. */
export function atLeastBestPeer(factor: number): Budget {
  return { text: `≥ ${factor} × best Go registry`, isMet: ({ ecru, bestPeer }) => isAtLeast(ecru, factor * bestPeer) }
}

/** Demands a share of the physical limit's speed. */
export function atLeastLimit(factor: number, name: string): Budget {
  return { text: `≥ ${factor} × ${name}`, isMet: ({ ecru, limit }) => isAtLeast(ecru, factor * limit) }
}

/** Demands an absolute figure, in the row's unit. */
export function atMost(figure: number, unit: Row['unit']): Budget {
  return { text: `≤ ${figure} ${unit}`, isMet: ({ ecru }) => isAtLeast(figure, ecru) }
}

function isAtLeast(figure: number, demanded: number): boolean | undefined {
  return Number.isNaN(figure) || Number.isNaN(demanded) ? undefined : figure >= demanded
}
