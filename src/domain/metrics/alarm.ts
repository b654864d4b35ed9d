import type { Registry } from '../names.ts'
import type { ResourceTag } from '../repository.ts'
import type { MetricQuery } from './math/queries.ts'
import type { Dimension } from './series.ts'

export type AlarmStateValue = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA'

export type Statistic = 'SampleCount' | 'Average' | 'Sum' | 'Minimum' | 'Maximum'

export const COMPARISONS = {
  GreaterThanOrEqualToThreshold: (value: number, threshold: number) => value >= threshold,
  GreaterThanThreshold: (value: number, threshold: number) => value > threshold,
  LessThanThreshold: (value: number, threshold: number) => value < threshold,
  LessThanOrEqualToThreshold: (value: number, threshold: number) => value <= threshold,
} as const

export type Comparison = keyof typeof COMPARISONS

/** What a missing data point counts as. */
export type MissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching'

/** What an alarm watches, when it goes off, and whom it tells. */
export type AlarmDefinition = AlarmConditions & (WatchedMetric | WatchedQueries)

export interface AlarmConditions {
  readonly description?: string | undefined
  readonly actionsEnabled: boolean
  /** Where changes of state go, by the state that it is then. */
  readonly actions?: AlarmActions | undefined
  readonly periodSeconds: number
  readonly evaluationPeriods: number
  /** How many of these must be beyond the threshold; all when absent. */
  readonly datapointsToAlarm?: number | undefined
  readonly threshold: number
  readonly comparison: Comparison
  /** As it was given; `missing` when absent. */
  readonly treatMissingData?: MissingData | undefined
  readonly evaluateLowSampleCountPercentile?: string | undefined
}

/** ARNs, in the order in which they were given. */
export type AlarmActions = Readonly<Partial<Record<AlarmStateValue, readonly string[]>>>

export interface WatchedMetric {
  readonly queries?: undefined
  readonly namespace: string
  readonly metricName: string
  readonly dimensions: readonly Dimension[]
  /** One of the five, or a percentile such as `p99`. */
  readonly statistic: string
  /** How the metric was named: by itself, or as the only one of `Metrics`, under this id. */
  readonly queryId?: string | undefined
  readonly queryLabel?: string | undefined
  readonly unit?: string | undefined
}

export interface WatchedQueries {
  /** Of which one is returned: that is watched. */
  readonly queries: readonly MetricQuery[]
}

/** The definition of an alarm on one metric as a query, and those of other alarms as they are. */
export function queriesOf(definition: AlarmDefinition): readonly MetricQuery[] {
  if (definition.queries !== undefined) return definition.queries
  const { namespace, metricName, dimensions, statistic, periodSeconds, unit, queryId = 'm1', queryLabel } = definition
  const metric = { namespace, metricName, dimensions, statistic, periodSeconds, unit }
  return [{ id: queryId, label: queryLabel, isReturned: true, metric }]
}

export interface AlarmState {
  readonly value: AlarmStateValue
  readonly reason: string
  /** JSON. */
  readonly reasonData?: string | undefined
  readonly updatedAt: Date
  /** When the value was last another one. */
  readonly changedAt: Date
}

export interface NewAlarm {
  readonly registry: Registry
  readonly name: string
  readonly definition: AlarmDefinition
  readonly configuredAt: Date
  readonly state: AlarmState
  readonly tags: readonly ResourceTag[]
}

export type Alarm = NewAlarm

export function alarmArn({ registry, name }: Pick<Alarm, 'registry' | 'name'>, partition = 'aws'): string {
  return `arn:${partition}:cloudwatch:${registry.region}:${registry.registryId}:alarm:${name}`
}
