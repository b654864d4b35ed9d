import { describe, expect, test } from 'bun:test'
import { parseIpRange } from '../../domain/iam/address.ts'
import { forwardedFor, forwardedOverTls } from './forwarded.ts'

const proxies = ['10.0.0.0/8', 'fd00::/8'].flatMap((text) => parseIpRange(text) ?? [])
const said = (chain: string) => new Headers({ 'x-forwarded-for': chain })

describe('the address of a client', () => {
  test.each([
    ['the peer, who is no proxy, whatever he says', '192.0.2.9', '203.0.113.1', '192.0.2.9'],
    ['what a proxy says', '10.0.0.1', '203.0.113.1', '203.0.113.1'],
    ['what the last of several proxies was told', '10.0.0.1', '203.0.113.1, 10.0.0.2', '203.0.113.1'],
    ['not what the client claims of himself', '10.0.0.1', '127.0.0.1, 203.0.113.1, 10.0.0.2', '203.0.113.1'],
    ['the proxy itself when it says nothing', '10.0.0.1', '', '10.0.0.1'],
    ['the proxy itself when what it says is no address', '10.0.0.1', '203.0.113.1, unknown', '10.0.0.1'],
    ['without a port', '10.0.0.1', '203.0.113.1:4711', '203.0.113.1'],
    ['of IPv6', 'fd00::1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['of a proxy by a mapped address', '::ffff:10.0.0.1', '2001:db8::1', '2001:db8::1'],
  ])('is %s', (_, peer, chain, client) => expect(forwardedFor(peer, said(chain), proxies)).toBe(client))

  test('is the peer where no proxy is trusted', () =>
    expect(forwardedFor('10.0.0.1', said('203.0.113.1'), [])).toBe('10.0.0.1'))
})

test('only a trusted proxy says that its client came over TLS', () => {
  const headers = new Headers({ 'x-forwarded-proto': 'https' })
  expect(forwardedOverTls('10.0.0.1', headers, proxies)).toBe(true)
  expect(forwardedOverTls('192.0.2.9', headers, proxies)).toBe(false)
  expect(forwardedOverTls('10.0.0.1', new Headers({ 'x-forwarded-proto': 'http' }), proxies)).toBe(false)
})
