import { type IpRange, isInRange, parseIpAddress } from '../../domain/iam/address.ts'

/** The addresses of proxies whose word about their clients is believed. */
export type TrustedProxies = readonly IpRange[]

/**
 * The client's address: walking back from the peer through `X-Forwarded-For`, the first that is no trusted proxy. What
 * stands before it anybody may have written. An entry that is no address ends the walk at the proxy that sent it.
 */
export function forwardedFor(peer: string, headers: Headers, proxies: TrustedProxies): string {
  if (proxies.length === 0) return peer
  let client = peer
  const hops = (headers.get('x-forwarded-for') ?? '').split(',').map((hop) => addressOf(hop.trim()))
  while (isTrusted(client, proxies)) {
    const hop = hops.pop()
    if (hop === undefined || parseIpAddress(hop) === undefined) break
    client = hop
  }
  return client
}

/** Whether a trusted proxy says that its client came over TLS. */
export function forwardedOverTls(peer: string, headers: Headers, proxies: TrustedProxies): boolean {
  return isTrusted(peer, proxies) && headers.get('x-forwarded-proto') === 'https'
}

function isTrusted(address: string, proxies: TrustedProxies): boolean {
  if (proxies.length === 0) return false
  const parsed = parseIpAddress(address)
  return parsed !== undefined && proxies.some((range) => isInRange(parsed, range))
}

/** Some proxies write the port too: `192.0.2.1:4711`, `[2001:db8::1]:4711`. */
function addressOf(hop: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::[0-9]+)?$/.exec(hop) ?? []
  return bracketed ?? hop.replace(/^([0-9.]+):[0-9]+$/, '$1')
}
