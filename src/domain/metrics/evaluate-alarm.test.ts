import { expect, test } from 'bun:test'
import type { AlarmDefinition, MissingData } from './alarm.ts'
import { evaluateAlarm, reasonFor } from './evaluate-alarm.ts'

const TREATMENTS: readonly MissingData[] = ['missing', 'ignore', 'breaching', 'notBreaching']

const definition = (given: Partial<AlarmDefinition> = {}): AlarmDefinition => ({
  actionsEnabled: true,
  namespace: 'AWS/ECR',
  metricName: 'RepositoryPullCount',
  dimensions: [],
  statistic: 'Sum',
  periodSeconds: 60,
  evaluationPeriods: 3,
  threshold: 5,
  comparison: 'GreaterThanThreshold',
  ...given,
})

/** `0` is within the threshold, `X` beyond it, `-` missing. */
const points = (text: string) => text.split(' ').map((mark) => (mark === '-' ? undefined : mark === 'X' ? 9 : 1))
const KEPT = undefined

// The tables of "Configuring how CloudWatch alarms treat missing data".
test.each([
  ['0 - X - X', ['OK', 'OK', 'OK', 'OK']],
  ['0 - - - -', ['OK', 'OK', 'OK', 'OK']],
  ['- - - - -', ['INSUFFICIENT_DATA', KEPT, 'ALARM', 'OK']],
  ['0 X X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
  ['- - X - -', ['ALARM', KEPT, 'ALARM', 'OK']],
] as const)('3 of 3: %s', (text, expected) => {
  const found = TREATMENTS.map((treatMissingData) => evaluateAlarm(definition({ treatMissingData }), points(text)))
  expect(found).toEqual([...expected])
})

test.each([
  ['0 - X - X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
  ['0 0 X 0 X', ['ALARM', 'ALARM', 'ALARM', 'ALARM']],
  ['0 - X - -', ['OK', 'OK', 'ALARM', 'OK']],
  ['- - - - 0', ['OK', 'OK', 'ALARM', 'OK']],
  ['- - - X -', ['ALARM', KEPT, 'ALARM', 'OK']],
] as const)('2 of 3: %s', (text, expected) => {
  const found = TREATMENTS.map((treatMissingData) =>
    evaluateAlarm(definition({ treatMissingData, datapointsToAlarm: 2 }), points(text)),
  )
  expect(found).toEqual([...expected])
})

test('one that is beyond the threshold just now is no alarm yet', () => {
  expect(evaluateAlarm(definition(), points('- - - - X'))).toBeUndefined()
})

test.each([
  ['GreaterThanOrEqualToThreshold', [4, 5, 6], [false, true, true]],
  ['GreaterThanThreshold', [4, 5, 6], [false, false, true]],
  ['LessThanThreshold', [4, 5, 6], [true, false, false]],
  ['LessThanOrEqualToThreshold', [4, 5, 6], [true, true, false]],
] as const)('%s', (comparison, values, expected) => {
  const alarm = definition({ comparison, evaluationPeriods: 1 })
  expect(values.map((value) => evaluateAlarm(alarm, [value]) === 'ALARM')).toEqual([...expected])
})

test('reasons are worded as CloudWatch words them', () => {
  const reason = (text: string, given: Partial<AlarmDefinition> = {}) => reasonFor(definition(given), points(text))
  expect(reason('- - -')).toBe('Insufficient Data: no datapoints were received.')
  expect(reason('- - -', { treatMissingData: 'notBreaching' })).toBe(
    'Threshold Crossed: no datapoints were received for 3 period(s) and missing datapoints were treated as [NonBreaching].',
  )
  expect(reason('X X X')).toBe(
    'Threshold Crossed: 3 datapoint(s) [9.0, 9.0, 9.0] were greater than the threshold (5.0).',
  )
  expect(reason('0', { comparison: 'GreaterThanOrEqualToThreshold' })).toBe(
    'Threshold Crossed: 1 datapoint(s) [1.0] was not greater than or equal to the threshold (5.0).',
  )
})
