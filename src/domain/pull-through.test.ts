import { expect, test } from 'bun:test'
import { upstreamAddress } from './pull-through.ts'

test('a text is the address of an upstream, or none: it never fails', () => {
  expect(upstreamAddress('registry.example.com:5000')?.href).toBe('https://registry.example.com:5000/')
  expect(upstreamAddress('http://10.0.0.7')?.href).toBe('http://10.0.0.7/')
  for (const none of [
    '123456789012',
    'a.123456789012',
    '1.2.3.256',
    '256.1.1.1:5000',
    'registry.example.com:65536',
    'xn--a',
    'https://123456789012',
    'https://registry.example.com:99999',
    'http://[::1',
    'http://[1:2]',
  ])
    expect([none, upstreamAddress(none)]).toEqual([none, undefined])
})
