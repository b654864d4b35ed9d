import { SEVERITIES } from '../../domain/advisories/severity.ts'
import { invalidParameter } from '../../domain/errors.ts'
import type { InspectorFinding } from '../../services/inspector.ts'
import { pageAfter, pageOf } from '../../services/paging.ts'
import { satisfies } from './filters.ts'
import { findingOutput, findingValues } from './finding-values.ts'
import { callerOf, type InspectorOperation } from './operation.ts'

const PAGE_ITEMS = 100

/** A finding with where it stands: by the sort field, then by the scan and the place in it. */
interface Placed {
  readonly found: InspectorFinding
  readonly key: Key
}

type Key = readonly [sorted: string | number, scanId: number, index: number]

export const listFindings: InspectorOperation<'ListFindings'> = async (input, call) => {
  const { maxResults: limit = PAGE_ITEMS, sortCriteria, filterCriteria = {} } = input
  const token = pageAfter({ limit, token: input.nextToken })
  const after = token === undefined ? undefined : keyIn(token)
  const isDescending = sortCriteria?.sortOrder === 'DESC'
  const compare = (a: Key, b: Key) =>
    (isDescending ? compareKeys(b, a) : compareKeys(a, b)) || a[1] - b[1] || a[2] - b[2]
  let best: Placed[] = []
  // In the order of scans the earlier ones need not be looked at again, nor the later ones once the page is full.
  const from = sortCriteria === undefined && after !== undefined ? after[1] - 1 : 0
  for await (const found of await call.inspector.findings(callerOf(call, 'ListFindings'), from)) {
    const values = findingValues(found)
    if (!satisfies(filterCriteria, values)) continue
    const key: Key = [sortCriteria === undefined ? 0 : sortedBy(sortCriteria.field, values), found.scanId, found.index]
    if (after !== undefined && compare(key, after) <= 0) continue
    best.push({ found, key })
    if (sortCriteria === undefined && best.length > limit) break
    if (best.length > 20 * (limit + 1)) best = best.sort((a, b) => compare(a.key, b.key)).slice(0, limit + 1)
  }
  const rows = best.sort((a, b) => compare(a.key, b.key)).slice(0, limit + 1)
  const page = pageOf(rows, limit, ({ key }) => JSON.stringify(key))
  return { findings: page.items.map(({ found }) => findingOutput(found)), nextToken: page.nextToken }
}

const FIELDS: Readonly<Record<string, string>> = {
  AWS_ACCOUNT_ID: 'awsAccountId',
  FINDING_TYPE: 'findingType',
  FIRST_OBSERVED_AT: 'firstObservedAt',
  LAST_OBSERVED_AT: 'lastObservedAt',
  FINDING_STATUS: 'findingStatus',
  RESOURCE_TYPE: 'resourceType',
  ECR_IMAGE_PUSHED_AT: 'ecrImagePushedAt',
  ECR_IMAGE_REPOSITORY_NAME: 'ecrImageRepositoryName',
  ECR_IMAGE_REGISTRY: 'ecrImageRegistry',
  VULNERABILITY_ID: 'vulnerabilityId',
  VULNERABILITY_SOURCE: 'vulnerabilitySource',
  INSPECTOR_SCORE: 'inspectorScore',
  VENDOR_SEVERITY: 'vendorSeverity',
}

/** Severities go from the least to the worst. What a finding does not have comes first. */
function sortedBy(field: string, values: ReturnType<typeof findingValues>): string | number {
  if (field === 'SEVERITY') return -SEVERITIES.findIndex((one) => one === values.severity)
  const value = values[FIELDS[field] ?? '']
  if (value instanceof Date) return value.getTime()
  return typeof value === 'string' || typeof value === 'number' ? value : ''
}

/** Throws `invalid-parameter` for what no answer has given. */
function keyIn(token: string): Key {
  const [, sorted = '', scanId = '', index = ''] =
    /^\[("(?:[^"\\]|\\.)*"|-?[0-9.]+),([0-9]{1,15}),([0-9]{1,15})\]$/.exec(token) ?? []
  if (index === '') throw invalidParameter('nextToken', 'Invalid pagination token')
  return [JSON.parse(sorted) as Key[0], Number(scanId), Number(index)]
}

function compareKeys([a]: Key, [b]: Key): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b
  const [left, right] = [String(a), String(b)]
  return left < right ? -1 : left > right ? 1 : 0
}
