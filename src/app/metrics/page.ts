import { Exposition } from '../../lib/exposition.ts'
import { LAG_BOUNDS, LoopLag } from '../../lib/loop-lag.ts'
import type { Foundation } from '../foundation.ts'
import type { Jobs } from '../jobs.ts'
import type { Services } from '../services.ts'
import { tellAdvisories, tellAlarms, tellAudit, tellQuotas } from './health.ts'
import { tellDeliveries, tellJobs, tellQueues, tellReplication } from './jobs.ts'
import { tellProcess } from './process.ts'
import { tellPullThrough } from './pull-through.ts'
import { tellStorage } from './storage.ts'
import { tellTraffic } from './traffic.ts'

/** What the parts of the page are made from. */
export interface MetricSources {
  readonly foundation: Foundation
  readonly services: Services
  readonly jobs: Jobs
}

/** The page that Prometheus reads. Loaded and begun with its first reader: nobody else pays for it. */
export class MetricsPage {
  readonly #sources: MetricSources
  readonly #lag = new LoopLag()

  constructor(sources: MetricSources) {
    this.#sources = sources
    this.#lag.start()
  }

  async print(): Promise<string> {
    const to = new Exposition()
    const { foundation, services, jobs } = this.#sources
    tellProcess(to, foundation)
    to.histogram(
      'ecru_event_loop_lag_seconds',
      'How late the event loop was, looked at twice a second since the first scrape.',
      LAG_BOUNDS,
      [{ counts: this.#lag.counts, sum: this.#lag.sumSeconds }],
    )
    tellTraffic(to, services.traffic)
    tellPullThrough(to, services.pullThroughCounts)
    await tellStorage(to, foundation, services)
    tellJobs(to, jobs.runs)
    tellDeliveries(to, jobs.eventDeliveries)
    await tellQueues(to, foundation)
    await tellReplication(to, foundation)
    await tellQuotas(to, foundation, services)
    await tellAdvisories(to, services)
    await tellAlarms(to, foundation)
    tellAudit(to, foundation)
    return to.toString()
  }

  close(): void {
    this.#lag.stop()
  }
}
