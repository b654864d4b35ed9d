import { expect, test } from 'bun:test'
import { parseDuration, printDuration } from './duration.ts'

for (const [text, durationMs] of [
  ['0', 0],
  ['250ms', 250],
  ['90s', 90_000],
  ['15m', 900_000],
  ['24h', 86_400_000],
  ['7d', 604_800_000],
] as const) {
  test(`${text} is ${durationMs} ms`, () => expect(parseDuration(text)).toBe(durationMs))
}

for (const text of ['', '1', 'h', '1.5h', '-1h', '1w', '1 h', '1H', 'P1D', '9999999999s']) {
  test(`'${text}' is no duration`, () => expect(parseDuration(text)).toBeUndefined())
}

test('durations are printed in the largest unit that divides them', () => {
  expect([0, 250, 90_000, 7_200_000, 604_800_000].map(printDuration)).toEqual(['0', '250ms', '90s', '2h', '7d'])
})
