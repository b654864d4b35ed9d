/** Names and values that tell the samples of a metric apart; those that are `undefined` are left out. */
export type Labels = Readonly<Record<string, string | number | undefined>>

/** One value of a metric. */
export interface Sample {
  readonly labels?: Labels
  readonly value: number
}

/** Values by bucket, each without the ones before it; one more than there are bounds. */
export interface HistogramSample {
  readonly labels?: Labels
  readonly counts: readonly number[]
  readonly sum: number
}

/** What Prometheus is told: the text format 0.0.4. Metrics without a sample are left out. */
export class Exposition {
  readonly #lines: string[] = []

  counter(name: string, help: string, samples: readonly Sample[]): void {
    this.#metric('counter', name, help, samples)
  }

  gauge(name: string, help: string, samples: readonly Sample[]): void {
    this.#metric('gauge', name, help, samples)
  }

  histogram(name: string, help: string, bounds: readonly number[], samples: readonly HistogramSample[]): void {
    if (samples.length === 0) return
    this.#head('histogram', name, help)
    for (const { labels = {}, counts, sum } of samples) {
      let total = 0
      for (const [index, count] of counts.entries()) {
        total += count
        const le = bounds[index] ?? '+Inf'
        this.#lines.push(`${name}_bucket${print({ ...labels, le })} ${total}`)
      }
      this.#lines.push(`${name}_sum${print(labels)} ${numberOf(sum)}`, `${name}_count${print(labels)} ${total}`)
    }
  }

  toString(): string {
    return `${this.#lines.join('\n')}\n`
  }

  #metric(type: 'counter' | 'gauge', name: string, help: string, samples: readonly Sample[]): void {
    if (samples.length === 0) return
    this.#head(type, name, help)
    for (const { labels = {}, value } of samples) this.#lines.push(`${name}${print(labels)} ${numberOf(value)}`)
  }

  #head(type: string, name: string, help: string): void {
    this.#lines.push(
      `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
      `# TYPE ${name} ${type}`,
    )
  }
}

function print(labels: Labels): string {
  const pairs = Object.entries(labels).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}="${escaped(String(value))}"`],
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}

function numberOf(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}
