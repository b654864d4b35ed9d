import { expect, test } from 'bun:test'
import { VIRTUAL_OFFSET_MS_MAX, VirtualClock } from './virtual-clock.ts'

function clocks() {
  let realMs = Date.UTC(2026, 0, 1)
  const clock = new VirtualClock({ now: () => new Date(realMs) })
  const pass = (ms: number) => {
    realMs += ms
  }
  return { clock, pass }
}

test('it runs with the real clock, as far ahead as it was moved', () => {
  const { clock, pass } = clocks()
  expect(clock.now()).toEqual(new Date('2026-01-01T00:00:00.000Z'))
  clock.advance(86_400_000)
  clock.advance(500)
  pass(1000)
  expect(clock.now()).toEqual(new Date('2026-01-02T00:00:01.500Z'))
  expect(clock.offsetMs).toBe(86_400_500)
})

test('it moves neither back nor out of what dates can say', () => {
  const { clock } = clocks()
  clock.advance(VIRTUAL_OFFSET_MS_MAX)
  for (const ms of [-1, 1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => clock.advance(ms)).toThrow(RangeError)
  expect(clock.offsetMs).toBe(VIRTUAL_OFFSET_MS_MAX)
  expect(clock.now().getUTCFullYear()).toBeLessThan(2130)
})
