import { expect, test } from 'bun:test'
import { Exposition } from './exposition.ts'

test('metrics stand under their help and type, and values of labels are escaped', () => {
  const to = new Exposition()
  to.counter('a_total', 'What is\ncounted \\.', [
    { value: 1 },
    { labels: { x: 'say "\\"\n', y: undefined }, value: 2.5 },
  ])
  to.gauge('b', 'A gauge.', [{ value: Number.NaN }, { value: Number.POSITIVE_INFINITY }, { value: -Infinity }])
  expect(to.toString()).toBe(
    [
      '# HELP a_total What is\\ncounted \\\\.',
      '# TYPE a_total counter',
      'a_total 1',
      'a_total{x="say \\"\\\\\\"\\n"} 2.5',
      '# HELP b A gauge.',
      '# TYPE b gauge',
      'b NaN',
      'b +Inf',
      'b -Inf',
      '',
    ].join('\n'),
  )
})

test('the buckets of a histogram hold those before them', () => {
  const to = new Exposition()
  to.histogram('h', 'A histogram.', [0.1, 1], [{ labels: { route: 'x' }, counts: [2, 0, 3], sum: 9.5 }])
  expect(to.toString().split('\n').slice(2, -1)).toEqual([
    'h_bucket{route="x",le="0.1"} 2',
    'h_bucket{route="x",le="1"} 2',
    'h_bucket{route="x",le="+Inf"} 5',
    'h_sum{route="x"} 9.5',
    'h_count{route="x"} 5',
  ])
})

test('a metric without a sample is left out', () => {
  const to = new Exposition()
  to.gauge('none', 'Nothing.', [])
  to.histogram('none', 'Nothing.', [1], [])
  expect(to.toString()).toBe('\n')
})
