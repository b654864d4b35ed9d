import type { Foundation } from './foundation.ts'
import type { Jobs } from './jobs.ts'
import type { MetricsPage } from './metrics/page.ts'
import type { Services } from './services.ts'

/** The page for Prometheus, which is made when somebody first asks for it. */
export interface Metrics {
  print(): Promise<string>
  close(): Promise<void>
}

/** Loads what the page takes with its first reader: the start of the process and its idle memory are without it. */
export function createMetrics(foundation: Foundation, services: Services, jobs: Jobs): Metrics {
  let page: Promise<MetricsPage> | undefined
  return {
    async print() {
      page ??= import('./metrics/page.ts').then((module) => new module.MetricsPage({ foundation, services, jobs }))
      return (await page).print()
    },
    async close() {
      await page?.then((opened) => opened.close())
    },
  }
}
