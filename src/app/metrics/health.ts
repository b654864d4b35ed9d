import type { Exposition, Sample } from '../../lib/exposition.ts'
import type { Foundation } from '../foundation.ts'
import type { Services } from '../services.ts'

/** How near registries are to their quotas. */
export async function tellQuotas(to: Exposition, { config }: Foundation, services: Services): Promise<void> {
  const { repositoriesPerRegistry, imagesPerRepository } = config.quotas
  const limits = Object.entries({ repositoriesPerRegistry, imagesPerRepository }).filter(([, limit]) => isLimit(limit))
  to.gauge(
    'ecru_quota_limit',
    'How much of a thing there may be; only where there is a limit.',
    limits.map(([quota, value]) => ({ labels: { quota }, value })),
  )
  const figures = await services.storageAccounts.recent(0)
  if (figures === undefined || limits.length === 0) return
  const counts = new Map<string, number>()
  let images = 0
  for (const { ref, imageCount } of figures.repositories) {
    const registry = `${ref.registry.registryId} ${ref.registry.region}`
    counts.set(registry, (counts.get(registry) ?? 0) + 1)
    images = Math.max(images, imageCount)
  }
  const samples: Sample[] = []
  const repositories = Math.max(0, ...counts.values())
  if (isLimit(repositoriesPerRegistry))
    samples.push({ labels: { quota: 'repositoriesPerRegistry' }, value: repositories / repositoriesPerRegistry })
  if (isLimit(imagesPerRepository))
    samples.push({ labels: { quota: 'imagesPerRepository' }, value: images / imagesPerRepository })
  to.gauge('ecru_quota_used_ratio', 'How much of a quota whoever is nearest to it has used; 1 is all.', samples)
}

function isLimit(value: number): boolean {
  return value < Number.MAX_SAFE_INTEGER
}

/** How old what scans compare with is. */
export async function tellAdvisories(to: Exposition, { advisories }: Services): Promise<void> {
  const { ageMs, maximumAgeMs, staleEcosystems, state } = await advisories.status()
  to.gauge('ecru_advisories_present', 'Whether there are advisories at all.', [{ value: state === 'absent' ? 0 : 1 }])
  to.gauge('ecru_advisories_max_age_seconds', 'From which age on advisories are too old.', [
    { value: maximumAgeMs / 1000 },
  ])
  if (ageMs === undefined) return
  to.gauge('ecru_advisories_age_seconds', 'How old the newest advisories are.', [{ value: ageMs / 1000 }])
  to.gauge('ecru_advisories_stale_ecosystems', 'Ecosystems whose advisories are too old.', [
    { value: staleEcosystems.length },
  ])
}

const PAGE = 500

/** Alarms by the state that they are in. */
export async function tellAlarms(to: Exposition, { metadata }: Foundation): Promise<void> {
  const states = { OK: 0, ALARM: 0, INSUFFICIENT_DATA: 0 }
  const { alarms } = metadata.view
  for (let after: Parameters<typeof alarms.listAll>[0]['after']; ; ) {
    const page = await alarms.listAll({ after, limit: PAGE })
    for (const { state } of page) states[state.value]++
    after = page.at(-1)
    if (page.length < PAGE) break
  }
  to.gauge(
    'ecru_cloudwatch_alarms',
    'Alarms by state.',
    Object.entries(states).map(([state, value]) => ({ labels: { state }, value })),
  )
}

/** Whether what happens is written down. */
export function tellAudit(to: Exposition, { auditLog }: Foundation): void {
  to.gauge('ecru_audit_on', 'Whether calls are written down.', [{ value: auditLog === undefined ? 0 : 1 }])
  if (auditLog === undefined) return
  to.counter('ecru_audit_lost_records_total', 'Records that could not even be kept in memory.', [
    { value: auditLog.lostRecords },
  ])
}
