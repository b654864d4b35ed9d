import type { DeliveryCounts } from '../../jobs/event-delivery.ts'
import type { JobRuns } from '../../jobs/job-runs.ts'
import type { Exposition } from '../../lib/exposition.ts'
import type { Foundation } from '../foundation.ts'

/** How what goes on beside requests fares: garbage collection, lifecycle policies, signatures and all others. */
export function tellJobs(to: Exposition, { jobs }: JobRuns): void {
  const entries = [...jobs]
  const runs = entries.flatMap(([job, { succeeded, failed }]) => [
    { labels: { job_name: job, outcome: 'success' }, value: succeeded },
    { labels: { job_name: job, outcome: 'failure' }, value: failed },
  ])
  to.counter('ecru_job_runs_total', 'Runs of jobs that have ended.', runs)
  const running = entries.map(([job, { isRunning }]) => ({ labels: { job_name: job }, value: isRunning ? 1 : 0 }))
  to.gauge('ecru_job_running', 'Whether a job runs just now.', running)
  const last = entries.flatMap(([job, { lastSeconds }]) =>
    lastSeconds === undefined ? [] : [{ labels: { job_name: job }, value: lastSeconds }],
  )
  to.gauge('ecru_job_last_duration_seconds', 'How long the last run took.', last)
  const successes = entries.flatMap(([job, { lastSuccessAtMs }]) =>
    lastSuccessAtMs === undefined ? [] : [{ labels: { job_name: job }, value: lastSuccessAtMs / 1000 }],
  )
  to.gauge('ecru_job_last_success_timestamp_seconds', 'When the last run that succeeded ended.', successes)
  const facts = entries.flatMap(([job, { sums }]) =>
    [...sums].map(([fact, value]) => ({ labels: { job_name: job, fact }, value })),
  )
  to.counter('ecru_job_reported_total', 'The numbers of the reports of all runs together, as the log has them.', facts)
}

/** Work that waits. */
export async function tellQueues(to: Exposition, { metadata }: Foundation): Promise<void> {
  const depths = await metadata.view.figures.queueDepths()
  const samples = Object.entries(depths).map(([name, value]) => ({
    labels: { queue: name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`) },
    value,
  }))
  to.gauge('ecru_queue_depth', 'Work that waits, by what it waits for.', samples)
}

/** How many destinations are told apart; what there is beyond them is told in sum under `other`. */
const DESTINATIONS_MAX = 50

/** How far copies and deletions are that other registries are to get. */
export async function tellReplication(to: Exposition, { metadata, clock }: Foundation): Promise<void> {
  const nowMs = clock.now().getTime()
  const lags = (await metadata.view.replications.lags()).map((lag, index) => ({
    destination: index < DESTINATIONS_MAX ? `${lag.destination.registryId}/${lag.destination.region}` : 'other',
    pending: lag.pendingCount + lag.pendingDeletionCount,
    failed: lag.failedCount + lag.failedDeletionCount,
    lagMs: lag.oldestRequestedAt === undefined ? 0 : Math.max(0, nowMs - lag.oldestRequestedAt.getTime()),
  }))
  const places = [...Map.groupBy(lags, ({ destination }) => destination)]
  const sum = (of: (lag: (typeof lags)[number]) => number) =>
    places.map(([destination, group]) => ({
      labels: { destination },
      value: group.reduce((total, lag) => total + of(lag), 0),
    }))
  to.gauge(
    'ecru_replication_pending',
    'Copies and deletions that a registry is still to get.',
    sum(({ pending }) => pending),
  )
  to.gauge(
    'ecru_replication_failed',
    'Copies and deletions that failed, and wait for somebody.',
    sum(({ failed }) => failed),
  )
  const oldest = places.map(([destination, group]) => ({
    labels: { destination },
    value: Math.max(...group.map(({ lagMs }) => lagMs)) / 1000,
  }))
  to.gauge('ecru_replication_lag_seconds', 'How long the oldest of what is pending has waited.', oldest)
}

/** What became of events on their way to targets. */
export function tellDeliveries(to: Exposition, { delivered, failed, givenUp }: DeliveryCounts): void {
  const outcomes = { delivered, failed, 'given-up': givenUp }
  to.counter(
    'ecru_event_deliveries_total',
    'Attempts to deliver events to targets, by how they ended.',
    Object.entries(outcomes).map(([outcome, value]) => ({ labels: { outcome }, value })),
  )
}
