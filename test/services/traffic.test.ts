import { expect, test } from 'bun:test'
import { Traffic } from '../../src/services/traffic.ts'

test('images that are pulled or pushed make the registry busy, and nothing else does', () => {
  const traffic = new Traffic(10)
  expect(traffic.isBusy).toBe(false)
  for (const route of ['api', 'operator', 'tags', 'v2', 'other'] as const)
    traffic.answered(route, 'GET', 200, 0.001, { sent: 1, received: 0 })
  expect(traffic.isBusy).toBe(false)
  traffic.answered('blobs', 'GET', 200, 0.001, { sent: 1, received: 0 })
  expect(traffic.isBusy).toBe(true)
})
