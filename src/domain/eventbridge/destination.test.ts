import { expect, test } from 'bun:test'
import type { Region, Registry, RegistryId } from '../names.ts'
import { destinationOf, parseDestinations, withoutSecrets } from './destination.ts'

const table = (destination: object, name = 'x') => parseDestinations(JSON.stringify({ [name]: destination }))
const registry: Registry = { registryId: '123456789012' as RegistryId, region: 'eu-central-1' as Region }

test.each([
  [[], 'must be a JSON object'],
  [{ 'a b': { kind: 'stdout' } }, 'neither a name nor a pattern'],
  [{ x: 'stdout' }, 'must be an object'],
  [{ x: { kind: 'kafka' } }, 'must be one of http, file, stdout, sqs, nats'],
  [{ x: { kind: 'toString' } }, 'must be one of'],
  [{ x: { kind: 'file' } }, "needs 'path'"],
  [{ x: { kind: 'file', path: 1 } }, 'must be a text'],
  [{ x: { kind: 'stdout', path: '/x' } }, "has no 'path'"],
  [{ x: { kind: 'http', url: 'ftp://x' } }, 'must be an address with http:// or https://'],
  [{ x: { kind: 'http', url: 'https://me:secret@host/' } }, 'must hold no credentials'],
  [{ x: { kind: 'nats', server: 'nats://me:secret@host', subject: 'a' } }, 'must hold no credentials'],
  [{ x: { kind: 'nats', server: 'http://host', subject: 'a' } }, 'must be an address with nats:// or tls://'],
  [{ x: { kind: 'nats', server: 'nats://host', subject: 'a b' } }, 'must be a subject of NATS'],
  [{ x: { kind: 'nats', server: 'nats://host', subject: 'a.>' } }, 'must be a subject of NATS'],
  [{ x: { kind: 'nats', server: 'nats://host', subject: 'a', stream: 'b.c' } }, 'must be the name of a stream'],
])('what is no table of destinations is refused, without telling a secret: %j', (document, reason) => {
  expect(() => parseDestinations(JSON.stringify(document))).toThrow(reason)
  expect(() => parseDestinations(JSON.stringify(document))).not.toThrow('me:secret')
})

test('an ARN leads to what the operator calls so, to a URL, or to the first pattern that it meets', () => {
  const found = (arn: string, ...given: Parameters<typeof table>) => destinationOf(arn, registry, table(...given))
  const ecru = 'arn:aws:ecru:eu-central-1:123456789012'
  const file = { kind: 'file', path: '/events' }
  expect(found(`${ecru}:event-target/x`, file)).toEqual({ kind: 'file', path: '/events' })
  expect(found(`${ecru}:webhook/https://host/a?b=c`, file)).toEqual({
    kind: 'webhook',
    url: 'https://host/a?b=c',
    registry,
  })
  expect(found('arn:aws:sns:eu-central-1:123456789012:topic', file, 'arn:aws:sns:*')).toMatchObject({ kind: 'file' })
  expect(found('arn:aws:sqs:eu-central-1:123456789012:queue', file, 'arn:aws:sns:*')).toContain('No destination')
  expect(found(`${ecru}:event-target/y`, file)).toContain('no destination of that name')
  expect(found('arn:aws:ecru:eu-central-1:210987654321:event-target/x', file)).toContain('another account')
  expect(found('arn:aws:ecru:us-east-1:123456789012:event-target/x', file)).toContain('another account or Region')
  expect(found(`${ecru}:webhook/https://me:secret@host/`, file)).toContain('must not hold credentials')
  expect(found(`${ecru}:webhook/file:///etc/passwd`, file)).toContain('named by its URL')
  expect(found('x', file)).toContain('not in correct format')
})

test.each([
  ['webhook/https://hooks.example.com/T0/B0/secret?token=secret', 'webhook/https://hooks.example.com/…'],
  ['webhook/https://me:secret@host:8443/x', 'webhook/https://host:8443/…'],
  ['webhook/https://me:secret@host', 'webhook/https://host/…'],
  ['webhook/secret', 'webhook//…'],
  ['event-target/log', 'event-target/log'],
])('what is written down of %s holds no secret', (resource, shown) => {
  const prefix = 'arn:aws:ecru:eu-central-1:123456789012:'
  expect(withoutSecrets(`${prefix}${resource}`)).toBe(`${prefix}${shown}`)
  expect(withoutSecrets(`${prefix}${resource}`)).not.toContain('secret')
})
