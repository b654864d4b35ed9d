import type { Registry } from '../names.ts'
import type { ResourceTag } from '../repository.ts'
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

/** What an alarm watches, and when it goes off. */
export interface AlarmDefinition {
  readonly description?: string | undefined
  readonly actionsEnabled: boolean
  readonly namespace: string
  readonly metricName: string
  readonly dimensions: readonly Dimension[]
  /** One of the five, or a percentile such as `p99`. */
  readonly statistic: string
  /** How the metric was named: by itself, or as the only one of `Metrics`, under this id. */
  readonly queryId?: string | undefined
  readonly queryLabel?: string | undefined
  readonly periodSeconds: number
  readonly unit?: string | undefined
  readonly evaluationPeriods: number
  /** How many of these must be beyond the threshold; all when absent. */
  readonly datapointsToAlarm?: number | undefined
  readonly threshold: number
  readonly comparison: Comparison
  /** As it was given; `missing` when absent. */
  readonly treatMissingData?: MissingData | undefined
  readonly evaluateLowSampleCountPercentile?: string | undefined
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
