import type { ScanState } from '../../domain/scanning/status.ts'
import { pageAfter, pageOf } from '../../services/paging.ts'
import type { CoveredImage } from '../../services/scanning/inspector.ts'
import { satisfies, type Values } from './filters.ts'
import { callerOf, type InspectorOperation, numberIn } from './operation.ts'

const PAGE_ITEMS = 200

/** Which images enhanced scanning covers, and whether it can. */
export const listCoverage: InspectorOperation<'ListCoverage'> = async (input, call) => {
  const { maxResults: limit = PAGE_ITEMS, filterCriteria = {} } = input
  const after = numberIn(pageAfter({ limit, token: input.nextToken }))
  const rows: CoveredImage[] = []
  for await (const covered of await call.inspector.covered(callerOf(call, 'ListCoverage'), after)) {
    if (satisfies(filterCriteria, coverageValues(covered))) rows.push(covered)
    if (rows.length > limit) break
  }
  const page = pageOf(rows, limit, ({ placed }) => String(placed.scan.id))
  return { coveredResources: page.items.map(coveredOutput), nextToken: page.nextToken }
}

const GROUPS: Readonly<Record<string, string>> = {
  SCAN_STATUS_CODE: 'scanStatusCode',
  SCAN_STATUS_REASON: 'scanStatusReason',
  ACCOUNT_ID: 'accountId',
  RESOURCE_TYPE: 'resourceType',
  ECR_REPOSITORY_NAME: 'ecrRepositoryName',
}

/** How many images there are, of which groups cannot be told apart by name in Inspector's answer: their sizes, the largest first. */
export const listCoverageStatistics: InspectorOperation<'ListCoverageStatistics'> = async (input, call) => {
  const { filterCriteria = {}, groupBy } = input
  const groups = new Map<string, number>()
  let total = 0
  for await (const covered of await call.inspector.covered(callerOf(call, 'ListCoverageStatistics'))) {
    const values = coverageValues(covered)
    if (!satisfies(filterCriteria, values)) continue
    total++
    const group = String(values[GROUPS[groupBy ?? ''] ?? ''])
    groups.set(group, (groups.get(group) ?? 0) + 1)
  }
  if (groupBy === undefined || total === 0) return { totalCounts: total }
  const counts = [...groups.values()].toSorted((a, b) => b - a).slice(0, GROUPS_MAX)
  return { totalCounts: total, countsByGroup: counts.map((count) => ({ count, groupKey: groupBy })) }
}

/** As many as an answer may hold. */
const GROUPS_MAX = 5

function coverageValues({ placed, resourceId, state, ...covered }: CoveredImage): Values {
  const { image, repository, scan } = placed
  const { statusCode, reason } = statusOf(state, covered.scanning.frequency)
  return {
    accountId: repository.registry.registryId,
    ecrImageTags: image.tags,
    ecrRepositoryName: repository.name,
    imagePulledAt: image.pulledAt,
    lastScannedAt: scan.completedAt,
    resourceId,
    resourceType: 'AWS_ECR_CONTAINER_IMAGE',
    scanStatusCode: statusCode,
    scanStatusReason: reason,
    scanType: 'PACKAGE',
  }
}

function coveredOutput({ placed, resourceId, scanning, state }: CoveredImage): object {
  const { image, repository, scan } = placed
  return {
    accountId: repository.registry.registryId,
    lastScannedAt: scan.completedAt,
    resourceId,
    resourceMetadata: {
      ecrImage: { imagePulledAt: image.pulledAt, tags: image.tags },
      ecrRepository: { name: repository.name, scanFrequency: scanning.frequency },
    },
    resourceType: 'AWS_ECR_CONTAINER_IMAGE',
    scanStatus: statusOf(state, scanning.frequency),
    scanType: 'PACKAGE',
  }
}

/** Active is only what is scanned and can be judged. */
function statusOf({ status }: ScanState, frequency: string): { readonly statusCode: string; readonly reason: string } {
  if (status === 'ACTIVE' || status === 'COMPLETE')
    return { statusCode: 'ACTIVE', reason: frequency === 'SCAN_ON_PUSH' ? 'SCAN_FREQUENCY_SCAN_ON_PUSH' : 'SUCCESSFUL' }
  if (status === 'PENDING') return { statusCode: 'ACTIVE', reason: 'PENDING_INITIAL_SCAN' }
  return { statusCode: 'INACTIVE', reason: REASONS[status] ?? 'INTERNAL_ERROR' }
}

const REASONS: Readonly<Record<string, string>> = {
  FINDINGS_UNAVAILABLE: 'STALE_INVENTORY',
  IMAGE_ARCHIVED: 'IMAGE_ARCHIVED',
  IN_PROGRESS: 'SCAN_IN_PROGRESS',
  SCAN_ELIGIBILITY_EXPIRED: 'SCAN_ELIGIBILITY_EXPIRED',
  UNSUPPORTED_IMAGE: 'UNSUPPORTED_MEDIA_TYPE',
}
