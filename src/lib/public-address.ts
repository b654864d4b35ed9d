import { BlockList, isIP } from 'node:net'

/** What no server of the public internet has: private, shared, loopback, link-local (metadata services too), reserved, multicast. */
const NOT_PUBLIC = new BlockList()
const V4: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
]
for (const [network, bits] of V4) NOT_PUBLIC.addSubnet(network, bits, 'ipv4')
/** Of IPv6 only 2000::/3 is given to anybody; of that, these are tunnels to the addresses above, documentation and the like. */
const V6_SPECIAL = new BlockList()
const V6: readonly (readonly [string, number])[] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]
for (const [network, bits] of V6) V6_SPECIAL.addSubnet(network, bits, 'ipv6')
const V6_GLOBAL = new BlockList()
V6_GLOBAL.addSubnet('2000::', 3, 'ipv6')

/** Whether an address is one of the public internet. An IPv4 address in IPv6's clothes is judged as what it is; no address is none. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address)
  if (family === 4) return !NOT_PUBLIC.check(address, 'ipv4')
  if (family !== 6 || address.includes('%')) return false
  return V6_GLOBAL.check(address, 'ipv6') && !V6_SPECIAL.check(address, 'ipv6')
}
