import { isPublic } from '../../domain/public-registry.ts'
import type { Exposition, Labels, Sample } from '../../lib/exposition.ts'
import { LATENCY_BOUNDS, type RepositoryTraffic, type Traffic } from '../../services/traffic.ts'

/** What went through since the process began. */
export function tellTraffic(to: Exposition, traffic: Traffic): void {
  const requests = [...traffic.requests].map(([key, value]) => {
    const [route = '', method = '', code = ''] = key.split(' ')
    return { labels: { route, method, code }, value }
  })
  to.counter('ecru_http_requests_total', 'Answered requests.', requests)
  to.histogram(
    'ecru_http_request_duration_seconds',
    'How long requests took until the answer began.',
    LATENCY_BOUNDS,
    [...traffic.latencies].map(([route, { counts, sumSeconds }]) => ({ labels: { route }, counts, sum: sumSeconds })),
  )
  to.gauge('ecru_http_requests_in_flight', 'Requests that are being answered.', [{ value: traffic.requestsInFlight }])
  const byRoute = (sums: ReadonlyMap<string, number>): readonly Sample[] =>
    [...sums].map(([route, value]) => ({ labels: { route }, value }))
  to.counter('ecru_http_sent_bytes_total', 'Bytes of bodies that were answered.', byRoute(traffic.sentBytes))
  to.counter('ecru_http_received_bytes_total', 'Bytes of bodies that came.', byRoute(traffic.receivedBytes))
  const calls = [...traffic.calls].map(([action, value]) => ({ labels: { action }, value }))
  to.counter('ecru_api_calls_total', "Calls of ECR's actions, on whichever interface.", calls)
  const repositories = traffic.repositories
  to.counter(
    'ecru_image_pulls_total',
    'Images that were pulled.',
    samplesOf(repositories, ({ pulls }) => pulls),
  )
  to.counter(
    'ecru_image_pushes_total',
    'Pushes that changed something.',
    samplesOf(repositories, (of) => of.pushes),
  )
}

function samplesOf(
  repositories: readonly RepositoryTraffic[],
  numberOf: (traffic: RepositoryTraffic) => number,
): readonly Sample[] {
  return repositories.map((traffic) => ({ labels: repositoryLabels(traffic.ref), value: numberOf(traffic) }))
}

/** By what samples of a repository are known; those of all others together have `repository="(others)"`. */
export function repositoryLabels(ref: RepositoryTraffic['ref']): Labels {
  if (ref === undefined) return { account: '', region: '', repository: '(others)' }
  const { registryId: account, region } = ref.registry
  return { account, region: isPublic(ref.registry) ? 'public' : region, repository: ref.name }
}
