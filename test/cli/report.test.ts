import { expect, test } from 'bun:test'
import { printBytes, printFacts } from '../../src/cli/report.ts'

for (const [bytes, text] of [
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.00 KiB'],
  [5_242_880, '5.00 MiB'],
  [53_687_091_200, '50.0 GiB'],
  [2 ** 60, '1048576.0 TiB'],
] as const) {
  test(`${bytes} bytes are ${text}`, () => expect(printBytes(bytes)).toBe(text))
}

test('names become words and units', () => {
  const facts = {
    isDryRun: true,
    freedBytes: 1024,
    tookMs: 61_000,
    uptimeSeconds: 3600,
    checkedBlobs: 1_000_000,
    missing: undefined,
  }
  expect(printFacts(facts)).toBe(
    [
      'dry run        yes',
      'freed          1.00 KiB',
      'took           1 min 1 s',
      'uptime         1 h 0 min',
      'checked blobs  1,000,000',
      '',
    ].join('\n'),
  )
})

test('lists have a row for each, and say so when they are empty', () => {
  expect(printFacts({ faults: [] })).toBe('faults  none\n')
  expect(
    printFacts({
      faults: [
        { digest: 'a', fault: 'missing' },
        { digest: 'b', fault: 'corrupt' },
      ],
    }),
  ).toBe('faults  a  missing\nfaults  b  corrupt\n')
})
