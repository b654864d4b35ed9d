import { describe, expect, test } from 'bun:test'
import { type MetricQuery, QuerySet } from './queries.ts'
import type { Line, Value } from './value.ts'

const MINUTE = 60_000
/** A Monday, 08:58 in UTC. */
const START = Date.UTC(2026, 2, 2, 8, 58)

/** Values by minute; `-` is a minute without one. */
type Data = Readonly<Record<string, string>>
const DATA: Data = { m1: '1 2 3 4', m2: '10 - 30 40', m3: '- - - -', errors1: '5 5 - 5' }

const metric = (id: string, periodSeconds = 60): MetricQuery => ({
  id,
  isReturned: false,
  metric: { namespace: 'n', metricName: id, dimensions: [], statistic: 'Sum', periodSeconds },
})

function line(name: string, data: Data): Line {
  const values = (data[name] ?? '').split(' ')
  const points = values.flatMap((text, at) => (text === '-' ? [] : [[START + at * MINUTE, Number(text)] as const]))
  return { label: name, points: new Map(points) }
}

async function resultOf(expression: string, more: readonly MetricQuery[] = []): Promise<Value> {
  const query: MetricQuery = { id: 'result', isReturned: true, expression }
  const queries = [...Object.keys(DATA).map((id) => metric(id)), ...more, query]
  const set = await QuerySet.of(queries)
  return set.evaluate(
    'result',
    async ({ metricName }) => line(metricName, DATA),
    (periodSeconds) => ({ startMs: START, endMs: START + 4 * MINUTE, periodMs: periodSeconds * 1000 }),
  )
}

const shown = ({ points }: Line) =>
  Array.from({ length: 4 }, (_, at) => points.get(START + at * MINUTE) ?? '-')
    .map((value) => (typeof value === 'number' ? Number(value.toFixed(4)) : value))
    .join(' ')

async function evaluated(expression: string, more: readonly MetricQuery[] = []): Promise<string> {
  const value = await resultOf(expression, more)
  if (value.kind === 'line') return shown(value.line)
  if (value.kind === 'lines') return value.lines.map(shown).join(', ')
  return value.kind
}

test.each([
  // Arithmetic, at the moments at which all have a value.
  ['m1 + 1', '2 3 4 5'],
  ['m1+m2', '11 - 33 44'],
  ['m2 / m1', '10 - 10 10'],
  ['100 * (m1 - m1 / 2)', '50 100 150 200'],
  ['-m1 + 2 * 3 ^ 2', '17 16 15 14'],
  ['2 ^ -m1', '0.5 0.25 0.125 0.0625'],
  ['m1 / (m1 - 2)', '-1 - 3 2'],
  ['METRICS("m") * 2', '2 4 6 8, 20 - 60 80, - - - -'],
  ['[m1, m2] - m1', '0 0 0 0, 9 - 27 36'],
  // Comparisons and logic: 1 and 0.
  ['m1 > 2', '0 0 1 1'],
  ['m1 >= 2 AND m1 != 3', '0 1 0 1'],
  ['m1 == 1 || m1 == 4', '1 0 0 1'],
  ['m1 < 2 OR m1 > 3 && m1 < 4', '1 0 0 0'],
  // Of one series a number, of several a series.
  ['m1 / SUM(m1) * 100', '10 20 30 40'],
  ['m1 - AVG(m1)', '-1.5 -0.5 0.5 1.5'],
  ['m1 * MAX(m1) - MIN(m2)', '-6 -2 2 6'],
  ['SUM(METRICS("m"))', '11 2 33 44'],
  ['AVG([m1, m2])', '5.5 1 16.5 22'],
  ['MIN([m1, m2])', '1 2 3 4'],
  ['MAX([m1, m2, m3])', '10 2 30 40'],
  ['m1 * METRIC_COUNT(METRICS())', '4 8 12 16'],
  ['m1 * DATAPOINT_COUNT(m2)', '3 6 9 12'],
  ['m1 / PERIOD(m1)', '0.0167 0.0333 0.05 0.0667'],
  // What is missing.
  ['FILL(m2, 0)', '10 0 30 40'],
  ['FILL(m2, REPEAT)', '10 10 30 40'],
  ['FILL(m2, LINEAR)', '10 20 30 40'],
  ['FILL(m2, m1)', '10 2 30 40'],
  ['FILL(m3, 7)', '7 7 7 7'],
  ['FILL(m3, REPEAT)', '- - - -'],
  ['FILL(METRICS("errors"), 0)', '5 5 0 5'],
  ['TIME_SERIES(3)', '3 3 3 3'],
  // From one value to the next.
  ['RATE(m1) * 60', '- 1 1 1'],
  ['DIFF(m2)', '- - 20 10'],
  ['DIFF_TIME(m2)', '- - 120 60'],
  ['RUNNING_SUM(m2)', '10 - 40 80'],
  ['ABS(-m1)', '1 2 3 4'],
  ['CEIL(m1 / 2)', '1 1 2 2'],
  ['FLOOR(m1 / 2)', '0 1 1 2'],
  ['LOG10(m2)', '1 - 1.4771 1.6021'],
  ['LOG(m1)', '0 0.6931 1.0986 1.3863'],
  // Choices.
  ['IF(m1 > 2, m1)', '- - 3 4'],
  ['IF(m1 > 2, m1, 0)', '0 0 3 4'],
  ['IF(m2, 1, 0)', '1 - 1 1'],
  ['IF(SUM(m1) > 5, m1, m2)', '1 2 3 4'],
  ['IF(SUM(m1) > 50, m1)', '- - - -'],
  ['IF(HOUR(m1) == 9 && DAY(m1) < 6, m1)', '- - 3 4'],
  ['MINUTE(m2)', '58 59 0 1'],
  ['DATE(m1) + 100 * MONTH(m1) + 10000 * YEAR(m1)', '20260302 20260302 20260302 20260302'],
  ['EPOCH(m1) - 1772441880', '0 60 120 180'],
  // Of several.
  ['FIRST(METRICS())', '1 2 3 4'],
  ['LAST([m1, m2])', '10 - 30 40'],
  ['SLICE(METRICS("m"), 1, 2)', '10 - 30 40'],
  ['REMOVE_EMPTY(METRICS("m"))', '1 2 3 4, 10 - 30 40'],
  ['SORT(METRICS("m"), SUM, DESC, 2)', '10 - 30 40, 1 2 3 4'],
  ['SORT([m2, m1], MAX, ASC)', '1 2 3 4, 10 - 30 40'],
])('%s', async (expression, expected) => {
  expect(await evaluated(expression)).toBe(expected)
})

describe('queries', () => {
  test('refer to each other, in any order', async () => {
    const more: MetricQuery[] = [
      { id: 'rate', isReturned: false, expression: 'all / 2' },
      { id: 'all', isReturned: false, expression: 'm1 + FILL(m2, 0)' },
    ]
    expect(await evaluated('rate * 2', more)).toBe('11 2 33 44')
  })

  test('have the shortest period in which those of their metrics fit', async () => {
    const queries = [
      metric('a', 120),
      metric('b', 180),
      { id: 'e', isReturned: true, expression: 'a + b' },
      { id: 'f', isReturned: true, expression: 'TIME_SERIES(1)', periodSeconds: 300 },
    ]
    const set = await QuerySet.of(queries)
    expect(['a', 'b', 'e', 'f'].map((id) => set.periodSecondsOf(id))).toEqual([120, 180, 360, 300])
  })

  test('that refer to each other again and again are no burden', async () => {
    const chain = Array.from({ length: 400 }, (_, at): MetricQuery => {
      const expression = at < 2 ? 'm1' : `q${at - 1} + q${at - 2} + q${at - 1}`
      return { id: `q${at}`, isReturned: false, expression }
    })
    expect(await evaluated('q9 - q8', chain)).toBe('816 1632 2448 3264')
  })

  test.each([
    ['m1 +', 'It ends where a value is expected'],
    ['m1 m2', "Nothing is expected where 'm2' stands"],
    ['(m1', "')' is missing"],
    ['m1 ; m2', "It cannot be read from '; m2' on"],
    ['nothing * 2', 'There is no query nothing'],
    ['result + 1', 'It refers to itself: result → result'],
    ['SUM(m1)', 'The result must be a time series'],
    ['5', 'The result must be a time series'],
    ['"text"', 'The result must be a time series'],
    ['m1 + "text"', '+ takes no text'],
    ['METRICS() + METRICS()', '+ takes one array of time series at most'],
    ['SUM(1)', 'SUM takes a time series'],
    ['RATE(5)', 'RATE takes a time series'],
    ['RATE()', 'RATE takes 1 values'],
    ['FILL(m1)', 'FILL takes 2 values'],
    ['FILL(m1, NEAREST)', 'FILL cannot fill with NEAREST'],
    ['IF(m1, METRICS())', 'IF takes numbers and time series'],
    ['METRICS(m1)', 'METRICS takes nothing, or a text'],
    ['SORT(METRICS(), SUM, UP)', 'ASC or DESC'],
    ['[1]', 'An array holds time series'],
    ["SEARCH('{AWS/ECR}', 'Sum')", 'There is no function SEARCH here'],
    ['ANOMALY_DETECTION_BAND(m1)', 'There is no function ANOMALY_DETECTION_BAND here'],
    ['constructor(m1)', "Nothing is expected where '('"],
    [`${'('.repeat(80)}m1${')'.repeat(80)}`, 'nested too deeply'],
  ])('%s is refused', async (expression, reason) => {
    await expect(resultOf(expression)).rejects.toThrow(`Error in expression 'result': `)
    await expect(resultOf(expression)).rejects.toThrow(reason)
  })

  test('that lead to themselves are refused', async () => {
    const more = [{ id: 'a', isReturned: false, expression: 'result + m1' }]
    await expect(resultOf('a', more)).rejects.toThrow('It refers to itself')
  })
})
