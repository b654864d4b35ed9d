import cloudWatchModel from '../../../models/cloudwatch.json' with { type: 'json' }
import type { JsonService } from '../aws/json-rpc.ts'
import { operationTable } from '../aws/operation-table.ts'
import { validationError } from '../aws/validation-error.ts'
import { deleteAlarms } from './delete-alarms.ts'
import { describeAlarms } from './describe-alarms.ts'
import { getMetricData } from './get-metric-data.ts'
import { getMetricStatistics } from './get-metric-statistics.ts'
import { listMetrics } from './list-metrics.ts'
import type { CloudWatchOperation, CloudWatchOperationName, CloudWatchServices } from './operation.ts'
import { putMetricAlarm } from './put-metric-alarm.ts'
import { listTagsForResource, tagResource, untagResource } from './resource-tags.ts'
import { setAlarmState } from './set-alarm-state.ts'

const OPERATIONS = {
  DeleteAlarms: deleteAlarms,
  DescribeAlarms: describeAlarms,
  GetMetricData: getMetricData,
  GetMetricStatistics: getMetricStatistics,
  ListMetrics: listMetrics,
  ListTagsForResource: listTagsForResource,
  PutMetricAlarm: putMetricAlarm,
  SetAlarmState: setAlarmState,
  TagResource: tagResource,
  UntagResource: untagResource,
} satisfies Partial<{ readonly [Name in CloudWatchOperationName]: CloudWatchOperation<Name> }>

/** Amazon CloudWatch, as far as it shows and watches what registries count; by each protocol that clients speak to it. */
export function cloudWatchService(services: CloudWatchServices): JsonService {
  return {
    model: cloudWatchModel,
    operations: operationTable(cloudWatchModel, OPERATIONS, [], (call) => ({ ...services, ...call })),
    errorOf: (error) => {
      const wire = validationError(error)
      return wire && { ...wire, code: 'ValidationError' }
    },
  }
}
