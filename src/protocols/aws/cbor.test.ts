import { expect, test } from 'bun:test'
import fc from 'fast-check'
import cloudWatchModel from '../../../models/cloudwatch.json' with { type: 'json' }
import { isRegistryError } from '../../domain/errors.ts'
import { readCbor, writeCbor, writeCborTexts } from './cbor.ts'

const bytes = (hex: string) => Uint8Array.fromHex(hex)

// Examples of RFC 8949, appendix A.
test.each([
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['1903e8', 1000],
  ['1a000f4240', 1000000],
  ['1b000000e8d4a51000', 1000000000000],
  ['20', -1],
  ['3903e7', -1000],
  ['f90000', 0],
  ['f93c00', 1],
  ['f93e00', 1.5],
  ['f97bff', 65504],
  ['fa47c35000', 100000],
  ['fb3ff199999999999a', 1.1],
  ['f90001', 2 ** -24],
  ['f97c00', Number.POSITIVE_INFINITY],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['c11a514b67b0', 1363896240],
  ['c1fb41d452d9ec200000', 1363896240.5],
  ['4401020304', 'AQIDBA=='],
  ['6449455446', 'IETF'],
  ['62c3bc', 'ü'],
  ['83010203', [1, 2, 3]],
  ['a26161016162820203', { a: 1, b: [2, 3] }],
  ['9f0102ff', [1, 2]],
  ['bf61610161629f0203ffff', { a: 1, b: [2, 3] }],
  ['7f657374726561646d696e67ff', 'streaming'],
] as const)('%s is read', (hex, value) => {
  expect(readCbor(bytes(hex))).toEqual(value as unknown)
})

test.each([
  ['nothing', ''],
  ['more than one', '0000'],
  ['too few bytes', '6449'],
  ['a list without an end', '9f01'],
  ['more items than bytes', '9bffffffffffffffff'],
  ['a key that is no text', 'a10102'],
  ['another tag', 'c249010000000000000000'],
  ['text that is none', '61ff'],
  ['a reserved length', '1c'],
  ['a nest without a bottom', '81'.repeat(100)],
  ['a break alone', 'ff'],
])('%s is refused', (_what, hex) => {
  expect(() => readCbor(bytes(hex))).toThrow('not valid CBOR')
})

test('whatever comes is read or refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (given) => {
      try {
        readCbor(given)
      } catch (thrown) {
        expect(isRegistryError(thrown, 'request-malformed')).toBe(true)
      }
    }),
  )
})

test('outputs are written by their shapes: moments with a tag, doubles as doubles, whole numbers as such', () => {
  const at = new Date(1363896240500)
  const alarm = {
    AlarmName: 'ü',
    Threshold: 3,
    Period: 300,
    ActionsEnabled: true,
    StateUpdatedTimestamp: at,
    Unit: undefined,
  }
  const written = writeCbor(cloudWatchModel, 'DescribeAlarmsOutput', { MetricAlarms: [alarm], strange: 1 })
  expect(readCbor(written)).toEqual({
    MetricAlarms: [
      { AlarmName: 'ü', Threshold: 3, Period: 300, ActionsEnabled: true, StateUpdatedTimestamp: 1363896240.5 },
    ],
  })
  const hex = written.toHex()
  expect(hex).toContain('fb4008000000000000')
  expect(hex).toContain('c1fb')
  expect(readCbor(writeCbor(cloudWatchModel, undefined, {}))).toEqual({})
  const long = 'x'.repeat(70_000)
  expect(readCbor(writeCborTexts({ __type: 'A', message: long }))).toEqual({ __type: 'A', message: long })
})
