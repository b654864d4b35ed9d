import { expect, test } from 'bun:test'
import { isInRange, parseIpAddress, parseIpRange } from './address.ts'

const isIn = (address: string, range: string) => {
  const [parsed, within] = [parseIpAddress(address), parseIpRange(range)]
  if (parsed === undefined || within === undefined) throw new Error(`${address} or ${range} is none`)
  return isInRange(parsed, within)
}

test.each([
  ['10.1.2.3', '10.0.0.0/8', true],
  ['11.1.2.3', '10.0.0.0/8', false],
  ['10.1.2.3', '10.1.2.3', true],
  ['10.1.2.4', '10.1.2.3', false],
  ['203.0.113.9', '0.0.0.0/0', true],
  ['2001:db8::1', '0.0.0.0/0', false],
  ['2001:db8:1::1', '2001:db8::/32', true],
  ['2001:db9::1', '2001:db8::/32', false],
  ['2001:DB8:0:0:0:0:0:1', '2001:db8::1', true],
  ['10.1.2.3', '::/0', false],
  ['::ffff:10.1.2.3', '10.0.0.0/8', true],
  ['10.1.2.3', '::ffff:10.0.0.0/104', true],
  ['fe80::1%eth0', 'fe80::/10', true],
  ['10.1.2.192', '10.1.2.128/25', true],
  ['10.1.2.127', '10.1.2.128/25', false],
])('%s in %s: %p', (address, range, expected) => expect(isIn(address, range)).toBe(expected))

test.each(['', '1.2.3', '1.2.3.256', '01.2.3.4', '1.2.3.4.5', ':', ':::', '1::2::3', '1:2:3:4:5:6:7', 'g::', 'host'])(
  '%p is no address',
  (text) => expect(parseIpAddress(text)).toBeUndefined(),
)

test.each(['10.0.0.0/33', '10.0.0.0/-1', '10.0.0.0/', '10.0.0.0/8/8', '::/129', '::ffff:10.0.0.0/95', '*'])(
  '%p is no range',
  (text) => expect(parseIpRange(text)).toBeUndefined(),
)
