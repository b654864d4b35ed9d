import cloudTrailModel from '../../../models/cloudtrail.json' with { type: 'json' }
import type { AwsCall } from '../aws/context.ts'
import type { JsonService } from '../aws/json-rpc.ts'
import { operationTable } from '../aws/operation-table.ts'
import { type CloudTrailServices, lookupEvents } from './lookup-events.ts'

/** AWS CloudTrail, as far as it tells what happened in this registry. */
export function cloudTrailService(services: CloudTrailServices): JsonService {
  const handlers = { LookupEvents: lookupEvents }
  return {
    model: cloudTrailModel,
    errorOf: (error) =>
      error.code === 'invalid-parameter'
        ? { code: 'InvalidLookupAttributesException', message: error.message }
        : undefined,
    operations: operationTable(cloudTrailModel, handlers, [], (call: AwsCall) => ({ call, services })),
  }
}
