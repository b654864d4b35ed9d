import type * as Sdk from '@aws-sdk/client-cloudwatch'
import type { AlarmServices } from '../../services/metrics/alarms.ts'
import type { MetricData } from '../../services/metrics/metric-data.ts'
import type { AwsCall } from '../aws/context.ts'
import type { Given } from '../aws/given.ts'

/** What CloudWatch's operations are made of. */
export interface CloudWatchServices {
  readonly alarms: AlarmServices
  readonly metricData: MetricData
}

export type CloudWatchCall = AwsCall & CloudWatchServices

export type CloudWatchOperationName =
  Extract<keyof typeof Sdk, `${string}Command`> extends `${infer Name}Command` ? Name : never

type Command<Name extends CloudWatchOperationName> = InstanceType<(typeof Sdk)[`${Name}Command`]>

/** An operation's input once it was validated: what the model requires is there. */
export type CloudWatchInput<Name extends CloudWatchOperationName> = Given<Command<Name>['input']>

/** The handler of one operation: input → service → output. */
export type CloudWatchOperation<Name extends CloudWatchOperationName> = (
  input: CloudWatchInput<Name>,
  call: CloudWatchCall,
) => Promise<object>

/** Dimensions as the domain has them. */
export function dimensionsIn(given: readonly { readonly Name: string; readonly Value: string }[] = []) {
  return given.map(({ Name: name, Value: value }) => ({ name, value }))
}

/** And back. */
export function dimensionsOut(dimensions: readonly { readonly name: string; readonly value: string }[]) {
  return dimensions.map(({ name: Name, value: Value }) => ({ Name, Value }))
}
