import { readdirSync } from 'node:fs'
import { VERSION } from '../../config/version.ts'
import type { Exposition } from '../../lib/exposition.ts'
import type { Foundation } from '../foundation.ts'

/** When the process began, by the real clock. */
const STARTED_AT_SECONDS = (Date.now() - performance.now()) / 1000

/** What any process would say of itself, under the names that Prometheus has for it. */
export function tellProcess(to: Exposition, { config, clock }: Foundation): void {
  const { profile, fidelity, storage } = config
  const labels = { version: VERSION, profile, fidelity, storage: storage.kind }
  to.gauge('ecru_build_info', 'Always 1; the labels say what runs here.', [{ labels, value: 1 }])
  const { user, system } = process.cpuUsage()
  to.counter('process_cpu_seconds_total', 'Time on the processor, of user and system together.', [
    { value: (user + system) / 1e6 },
  ])
  to.gauge('process_resident_memory_bytes', 'Memory that the process holds.', [{ value: process.memoryUsage.rss() }])
  to.gauge('process_start_time_seconds', 'When the process began.', [{ value: STARTED_AT_SECONDS }])
  to.gauge('process_open_fds', 'Open files and sockets.', openFiles())
  to.gauge('ecru_clock_offset_seconds', "How far the registry's clock was moved ahead of the real one.", [
    { value: clock.offsetMs / 1000 },
  ])
}

/** Only some systems say. */
function openFiles(): readonly { readonly value: number }[] {
  try {
    return [{ value: readdirSync('/proc/self/fd').length }]
  } catch {
    return []
  }
}
