import type { Exposition, Labels } from '../../lib/exposition.ts'
import type { PullThroughCounts, RuleCounts } from '../../services/pull-through/pull-through-counts.ts'

/** What pull-through caches did since the process began. */
export function tellPullThrough(to: Exposition, { rules }: PullThroughCounts): void {
  to.counter(
    'ecru_pull_through_requests_total',
    'Requests for manifests under pull-through cache rules.',
    rules.flatMap((counts) =>
      [...counts.outcomes].map(([result, value]) => ({ labels: { ...ruleLabels(counts), result }, value })),
    ),
  )
  to.counter(
    'ecru_pull_through_upstream_failures_total',
    'Questions that an upstream did not answer as it should.',
    rules.flatMap((counts) =>
      [...counts.failures].map(([reason, value]) => ({ labels: { ...ruleLabels(counts), reason }, value })),
    ),
  )
  to.counter(
    'ecru_pull_through_received_bytes_total',
    'Bytes of layers that came from upstreams.',
    rules.map((counts) => ({ labels: ruleLabels(counts), value: counts.receivedBytes })),
  )
}

function ruleLabels({ rule }: RuleCounts): Labels {
  if (rule === undefined) return { account: '', region: '', prefix: '(others)' }
  const { registryId: account, region } = rule.registry
  return { account, region, prefix: rule.prefix }
}
