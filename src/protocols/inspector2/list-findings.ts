import { SEVERITIES } from '../../domain/advisories/severity.ts'
import { invalidParameter } from '../../domain/errors.ts'
import { pageAfter, pageOf } from '../../services/paging.ts'
import type { InspectorCaller, InspectorFinding } from '../../services/scanning/inspector.ts'
import type { SortKey } from '../../services/scanning/sorted-findings.ts'
import { satisfies } from './filters.ts'
import { findingOutput, findingValues } from './finding-values.ts'
import { callerOf, type InspectorCall, type InspectorOperation } from './operation.ts'

const PAGE_ITEMS = 100

export const listFindings: InspectorOperation<'ListFindings'> = async (input, call) => {
  const { maxResults: limit = PAGE_ITEMS, sortCriteria, filterCriteria = {} } = input
  const token = pageAfter({ limit, token: input.nextToken })
  const after = token === undefined ? undefined : keyIn(token)
  const caller = callerOf(call, 'ListFindings')
  const rows =
    sortCriteria === undefined
      ? await unsorted(call, caller, filterCriteria, after, limit + 1)
      : await call.sortedFindings.page(
          caller,
          {
            text: JSON.stringify([filterCriteria, sortCriteria]),
            isDescending: sortCriteria.sortOrder === 'DESC',
            sortedBy: (found) => {
              const values = findingValues(found)
              return satisfies(filterCriteria, values) ? sortedBy(sortCriteria.field, values) : undefined
            },
          },
          after,
          limit + 1,
        )
  const page = pageOf(rows, limit, ([, key]) => JSON.stringify(key))
  return { findings: page.items.map(([found]) => findingOutput(found)), nextToken: page.nextToken }
}

/** In the order of scans, and as each shows them: what was shown is not read again. */
async function unsorted(
  { inspector }: InspectorCall,
  caller: InspectorCaller,
  filters: Parameters<typeof satisfies>[0],
  after: SortKey | undefined,
  limit: number,
): Promise<readonly (readonly [InspectorFinding, SortKey])[]> {
  const from = after === undefined ? undefined : { scanId: after[1], index: after[2] + 1 }
  const rows: (readonly [InspectorFinding, SortKey])[] = []
  for await (const found of await inspector.findings(caller, from)) {
    if (satisfies(filters, findingValues(found))) rows.push([found, [0, found.scanId, found.index]])
    if (rows.length === limit) break
  }
  return rows
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
function keyIn(token: string): SortKey {
  const [, sorted = '', scanId = '', index = ''] =
    /^\[("(?:[^"\\]|\\.)*"|-?[0-9.]+),([0-9]{1,15}),([0-9]{1,15})\]$/.exec(token) ?? []
  if (index === '') throw invalidParameter('nextToken', 'Invalid pagination token')
  return [JSON.parse(sorted) as SortKey[0], Number(scanId), Number(index)]
}
