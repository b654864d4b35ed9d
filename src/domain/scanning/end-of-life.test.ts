import { expect, test } from 'bun:test'
import { endedOn, endOfLifeRemark } from './end-of-life.ts'

const at = (day: string) => new Date(`${day}T12:00:00Z`)

test('the last day of updates is one of them', () => {
  expect(endedOn('DEBIAN_10', at('2024-06-30'))).toBeUndefined()
  expect(endedOn('DEBIAN_10', at('2024-07-01'))).toBe('2024-06-30')
})

test.each([
  ['ALPINE_3.10.4', '2021-05-01'],
  ['ALPINE_3.23.1', undefined],
  ['ALPINE_3.24_ALPHA20260101', undefined],
  ['UBUNTU_20.04', '2025-05-29'],
  ['RHEL_7.9', '2024-06-30'],
  ['SLES_15.4', '2023-12-31'],
  ['SLES_15.7', undefined],
  ['OPENSUSE-LEAP_15.5', '2024-12-31'],
  ['AMZN_2', '2026-06-30'],
  ['AMZN_2023', undefined],
  ['DEBIAN', undefined],
  ['CONSTRUCTOR_1', undefined],
  ['WOLFI_20230201', undefined],
])('%s: %p', (platform, day) => expect(endedOn(platform, at('2026-11-21'))).toBe(day))

test('people are told since when, and what follows', () => {
  expect(endOfLifeRemark('DEBIAN_10', at('2026-11-21'))).toBe(
    'DEBIAN_10 is past its end of life of 2024-06-30: flaws that were found since then may be missing.',
  )
  expect(endOfLifeRemark(undefined, at('2026-11-21'))).toBeUndefined()
})
