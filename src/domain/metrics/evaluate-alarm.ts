import { type AlarmDefinition, type AlarmStateValue, COMPARISONS } from './alarm.ts'

/** How many periods beyond those that are asked for are looked at, in case some of these have no data. */
export const MORE_PERIODS = 2

/** The value of each period of the range, oldest first; `undefined`: there is none. */
export type Datapoints = readonly (number | undefined)[]

/**
 * What state data calls for; `undefined`: the present one stays. Data that is there decides as far as it can: only when there
 * is too little of it, in the whole range, what is missing counts as the alarm says ("How alarms handle missing data", CloudWatch
 * user guide).
 */
export function evaluateAlarm(definition: AlarmDefinition, points: Datapoints): AlarmStateValue | undefined {
  const { evaluationPeriods, threshold, treatMissingData = 'missing' } = definition
  const needed = definition.datapointsToAlarm ?? evaluationPeriods
  const isBreaching = (value: number) => COMPARISONS[definition.comparison](value, threshold)
  const there = points.filter((value) => value !== undefined)
  if (there.length >= evaluationPeriods) {
    const newest = there.slice(-evaluationPeriods)
    return newest.filter(isBreaching).length >= needed ? 'ALARM' : 'OK'
  }
  const breaching = there.filter(isBreaching).length
  const missing = evaluationPeriods - there.length
  if (breaching >= needed) return 'ALARM'
  switch (treatMissingData) {
    case 'breaching':
      return breaching + missing >= needed ? 'ALARM' : 'OK'
    case 'notBreaching':
      return 'OK'
    case 'ignore':
      return there.length > breaching ? 'OK' : undefined
    case 'missing': {
      if (there.length === 0) return 'INSUFFICIENT_DATA'
      if (there.length > breaching) return 'OK'
      const oldest = points.length - points.findIndex((value) => value !== undefined)
      return oldest >= needed ? 'ALARM' : undefined
    }
  }
}

/** Why, in CloudWatch's words. */
export function reasonFor(definition: AlarmDefinition, points: Datapoints): string {
  const { comparison, threshold } = definition
  const there = points.filter((value) => value !== undefined).slice(-definition.evaluationPeriods)
  if (there.length === 0) {
    const { treatMissingData: treatment } = definition
    const treated = treatment === 'breaching' ? ' [Breaching]' : treatment === 'notBreaching' ? ' [NonBreaching]' : ''
    return treated === ''
      ? 'Insufficient Data: no datapoints were received.'
      : `Threshold Crossed: no datapoints were received for ${definition.evaluationPeriods} period(s) and missing datapoints were treated as${treated}.`
  }
  const breaching = there.filter((value) => COMPARISONS[comparison](value, threshold))
  const words = comparison
    .replace(/Threshold$/, '')
    .replaceAll(/([A-Z])/g, ' $1')
    .trim()
    .toLowerCase()
  const values = there.map((value) => value.toFixed(1)).join(', ')
  const isCrossed = breaching.length > 0
  return `Threshold Crossed: ${there.length} datapoint(s) [${values}] ${isCrossed ? (breaching.length === 1 && there.length === 1 ? 'was' : 'were') : there.length === 1 ? 'was not' : 'were not'} ${words} the threshold (${threshold.toFixed(1)}).`
}
