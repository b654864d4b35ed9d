/** An IP address as a number of 32 or 128 bits. */
export interface IpAddress {
  readonly bits: 32 | 128
  readonly value: bigint
}

/** A range of addresses, as CIDR writes it. */
export interface IpRange extends IpAddress {
  readonly prefix: number
}

const MAPPED = 0xffffn
const GROUPS = 8

/** Reads an IPv4 or IPv6 address, a zone left aside; one of IPv4 mapped into IPv6 is the IPv4 address. `undefined` when it is none. */
export function parseIpAddress(text: string): IpAddress | undefined {
  if (!text.includes(':')) {
    const value = ipv4(text)
    return value === undefined ? undefined : { bits: 32, value }
  }
  const value = ipv6(text.replace(/%.*$/, ''))
  if (value === undefined) return undefined
  return value >> 32n === MAPPED ? { bits: 32, value: value & 0xffffffffn } : { bits: 128, value }
}

/** Reads `10.0.0.0/8`, `2001:db8::/32`, or one address. `undefined` when it is none. */
export function parseIpRange(text: string): IpRange | undefined {
  const [given = '', length, ...rest] = text.split('/')
  const address = parseIpAddress(given)
  if (address === undefined || rest.length > 0) return undefined
  if (length === undefined) return { ...address, prefix: address.bits }
  if (!/^[0-9]{1,3}$/.test(length)) return undefined
  // The length of a mapped range counts the 96 bits before the IPv4 address.
  const prefix = Number(length) - (given.includes(':') && address.bits === 32 ? 96 : 0)
  return prefix >= 0 && prefix <= address.bits ? { ...address, prefix } : undefined
}

/** Never across versions of IP. */
export function isInRange(address: IpAddress, range: IpRange): boolean {
  if (address.bits !== range.bits) return false
  const shift = BigInt(range.bits - range.prefix)
  return address.value >> shift === range.value >> shift
}

/** In one walk along the text: conditions on addresses are asked with every request. */
function ipv4(text: string): bigint | undefined {
  let value = 0
  let dots = 0
  let part: number | undefined
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === DOT) {
      if (part === undefined || ++dots > 3) return undefined
      value = value * 256 + part
      part = undefined
    } else {
      const digit = code - ZERO
      // No zero leads: some read such a number as octal.
      if (digit < 0 || digit > 9 || part === 0) return undefined
      part = (part ?? 0) * 10 + digit
      if (part > 255) return undefined
    }
  }
  return dots === 3 && part !== undefined ? BigInt(value * 256 + part) : undefined
}

const DOT = '.'.charCodeAt(0)
const ZERO = '0'.charCodeAt(0)

function ipv6(text: string): bigint | undefined {
  const dotted = /^(.*:)([0-9]+(?:\.[0-9]+){3})$/.exec(text)
  if (dotted !== null) {
    const tail = ipv4(dotted[2] ?? '')
    if (tail === undefined) return undefined
    return ipv6(`${dotted[1]}${(tail >> 16n).toString(16)}:${(tail & 0xffffn).toString(16)}`)
  }
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const [head = [], tail] = halves.map((half) => (half === '' ? [] : half.split(':')))
  const missing = GROUPS - head.length - (tail?.length ?? 0)
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined
  const groups = tail === undefined ? head : [...head, ...Array<string>(missing).fill('0'), ...tail]
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined
  return groups.reduce((value, group) => value * 65536n + BigInt(Number.parseInt(group, 16)), 0n)
}
