import { isRegistryError } from '../../domain/errors.ts'
import type { Registry } from '../../domain/names.ts'
import { type PullThroughRule, prefixKey } from '../../domain/pull-through.ts'

/** What became of a request for a manifest: served from here, brought, served from here since the upstream failed, or not had. */
export type PullThroughOutcome = 'hit' | 'miss' | 'stale' | 'failed'

/** What went through one rule since the process began. */
export interface RuleCounts {
  /** Absent: all rules beyond the bound. */
  readonly rule: { readonly registry: Registry; readonly prefix: string } | undefined
  readonly outcomes: Map<PullThroughOutcome, number>
  /** Failures of the upstream, by what kind they are of. */
  readonly failures: Map<string, number>
  receivedBytes: number
}

const FAILURES = ['upstream-denied', 'upstream-rate-limited', 'upstream-unavailable', 'upstream-wrong'] as const

/** So many rules are counted each by itself. */
const RULES_MAX = 200

/** Counts what pull-through caches do. What it keeps is bounded by rules, not by what is pulled. */
export class PullThroughCounts {
  readonly #byRule = new Map<string, RuleCounts>()
  readonly #others = emptyCounts(undefined)

  /** Each rule that anything went through; last, without a name, the sum of those beyond the bound. */
  get rules(): readonly RuleCounts[] {
    const { outcomes, failures, receivedBytes } = this.#others
    const isEmpty = outcomes.size === 0 && failures.size === 0 && receivedBytes === 0
    return [...this.#byRule.values(), ...(isEmpty ? [] : [this.#others])]
  }

  answered(rule: PullThroughRule, outcome: PullThroughOutcome): void {
    add(this.#of(rule).outcomes, outcome)
  }

  /** Counts what is a failure of the upstream; that it does not have something is none. */
  failed(rule: PullThroughRule, error: unknown): void {
    if (isRegistryError(error, ...FAILURES)) add(this.#of(rule).failures, error.code.slice('upstream-'.length))
  }

  received(rule: PullThroughRule, bytes: number): void {
    this.#of(rule).receivedBytes += bytes
  }

  #of({ registry, prefix }: PullThroughRule): RuleCounts {
    const key = `${registry.registryId}/${registry.region}/${prefixKey(prefix)}`
    const known = this.#byRule.get(key)
    if (known !== undefined) return known
    if (this.#byRule.size >= RULES_MAX) return this.#others
    const counts = emptyCounts({ registry, prefix: prefixKey(prefix) })
    this.#byRule.set(key, counts)
    return counts
  }
}

function emptyCounts(rule: RuleCounts['rule']): RuleCounts {
  return { rule, outcomes: new Map(), failures: new Map(), receivedBytes: 0 }
}

function add<Key>(sums: Map<Key, number>, key: Key): void {
  sums.set(key, (sums.get(key) ?? 0) + 1)
}
