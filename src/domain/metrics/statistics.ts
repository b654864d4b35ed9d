import type { Statistic } from './alarm.ts'

export const STATISTICS: readonly Statistic[] = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum']

const PERCENTILE = /^p(100|\d{1,2}(\.\d{1,10})?)$/

export function isPercentile(text: string): boolean {
  return PERCENTILE.test(text)
}

/** What a statistic says of a period in which so much was counted. Each pull and each call is a sample of 1. */
export function statisticOf(statistic: string, amount: number): number {
  return statistic === 'Sum' || statistic === 'SampleCount' ? amount : 1
}

/** How long counts are kept by which period, as CloudWatch keeps its own: minutes, five minutes, hours. */
export const RETENTION = [
  { periodMs: 60_000, keptMs: 15 * 86_400_000 },
  { periodMs: 300_000, keptMs: 63 * 86_400_000 },
  { periodMs: 3_600_000, keptMs: 455 * 86_400_000 },
] as const

/** The first moment of the period, of so many milliseconds, in which a moment of that age is kept. */
export function startOfPeriod(atMs: number, nowMs: number): number {
  const ageMs = nowMs - atMs
  const { periodMs } = RETENTION.find(({ keptMs }) => ageMs <= keptMs) ?? RETENTION[2]
  return atMs - (atMs % periodMs)
}

/** Sums counts up by periods that begin at `fromMs`; periods in which nothing was counted are left out. */
export function byPeriod(
  counts: readonly { readonly at: Date; readonly amount: number }[],
  fromMs: number,
  periodMs: number,
): ReadonlyMap<number, number> {
  const sums = new Map<number, number>()
  for (const { at, amount } of counts) {
    const startMs = fromMs + Math.floor((at.getTime() - fromMs) / periodMs) * periodMs
    sums.set(startMs, (sums.get(startMs) ?? 0) + amount)
  }
  return sums
}
