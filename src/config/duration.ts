const UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

/** Milliseconds of a text such as `90s`, `1h`, `7d`, `250ms` or `0`; `undefined` when it is none. */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0
  const match = /^([0-9]{1,9})(ms|s|m|h|d)$/.exec(text)
  if (match === null) return undefined
  return Number(match[1]) * UNITS_MS[match[2] as keyof typeof UNITS_MS]
}

/** A duration in its largest whole unit: `90s`, `2h`, `7d`. */
export function printDuration(durationMs: number): string {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (durationMs !== 0 && durationMs % UNITS_MS[unit] === 0) return `${durationMs / UNITS_MS[unit]}${unit}`
  }
  return durationMs === 0 ? '0' : `${durationMs}ms`
}
