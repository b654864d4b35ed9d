import inspectorModel from '../../../models/inspector2.json' with { type: 'json' }
import type { AwsCall } from '../aws/context.ts'
import type { JsonService } from '../aws/json-rpc.ts'
import { operationTable } from '../aws/operation-table.ts'
import { batchGetAccountStatus, disable, enable } from './account-status.ts'
import { listCoverage, listCoverageStatistics } from './list-coverage.ts'
import { listFindingAggregations } from './list-finding-aggregations.ts'
import { listFindings } from './list-findings.ts'
import type { InspectorServices } from './operation.ts'

const OPERATIONS = {
  BatchGetAccountStatus: batchGetAccountStatus,
  Disable: disable,
  Enable: enable,
  ListCoverage: listCoverage,
  ListCoverageStatistics: listCoverageStatistics,
  ListFindingAggregations: listFindingAggregations,
  ListFindings: listFindings,
}

/** Amazon Inspector, as far as it is the other face of enhanced scanning, over REST-JSON. */
export function inspectorService(services: InspectorServices): JsonService {
  return {
    model: inspectorModel,
    operations: operationTable(inspectorModel, OPERATIONS, [], (call: AwsCall) => ({ ...services, ...call })),
    errorOf: ({ code, message }) =>
      code === 'invalid-parameter' ? { code: 'ValidationException', message } : undefined,
    errorMembers: ({ code }) => (code === 'invalid-parameter' ? { reason: 'FIELD_VALIDATION_FAILED' } : {}),
  }
}
