import { expect, test } from 'bun:test'
import { parseRegion, parseRegistryId, parseRepositoryName } from '../domain/names.ts'
import { LATENCY_BOUNDS, Traffic } from './traffic.ts'

const registry = { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') }
const ref = (name: string) => ({ registry, name: parseRepositoryName(name) })

test('repositories beyond the bound are counted together', () => {
  const heard: string[] = []
  const listener = { pulled: ({ name }: { name: string }) => heard.push(name), called: () => undefined }
  const traffic = new Traffic(2, listener)
  for (const name of ['aa', 'bb', 'cc', 'dd', 'aa']) traffic.pulled(ref(name))
  traffic.pushed(ref('cc'))
  expect(traffic.repositories.map(({ ref, pulls, pushes }) => [ref?.name, pulls, pushes])).toEqual([
    [parseRepositoryName('aa'), 2, 0],
    [parseRepositoryName('bb'), 1, 0],
    [undefined, 2, 1],
  ])
  expect(heard).toEqual(['aa', 'bb', 'cc', 'dd', 'aa'])
})

test('a request is in the first bucket that it is not beyond', () => {
  const traffic = new Traffic(1)
  const bytes = { sent: 10, received: 0 }
  for (const seconds of [0, 0.001, 0.0011, 61]) traffic.answered('blobs', 'GET', 200, seconds, bytes)
  const counts = traffic.latencies.get('blobs')?.counts
  expect([counts?.[0], counts?.[1], counts?.[LATENCY_BOUNDS.length]]).toEqual([2, 1, 1])
  expect(traffic.requests.get('blobs GET 200')).toBe(4)
  expect([traffic.sentBytes.get('blobs'), traffic.receivedBytes.get('blobs')]).toEqual([40, undefined])
})
