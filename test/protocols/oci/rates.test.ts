import { expect, test } from 'bun:test'
import { createPlane, createRepository, putImage, refusalOf } from './plane.ts'

test('a client that asks too often is told so, and when to come again', async () => {
  const plane = await createPlane({ rates: { BatchGetImage: 1 } })
  await createRepository(plane, 'app')
  await putImage(plane, 'app', 'v1', 'a')
  const pull = () => plane.ask('GET', '/v2/app/manifests/v1')
  expect((await pull()).status).toBe(200)
  const refused = await pull()
  expect(refused.headers.get('retry-after')).toBe('1')
  expect(await refusalOf(refused)).toEqual({ status: 429, code: 'TOOMANYREQUESTS', message: 'Rate exceeded' })
  expect((await plane.ask('GET', '/v2/app/tags/list')).status).toBe(200)
  plane.services.clock.advance(1000)
  expect((await pull()).status).toBe(200)
  await plane.close()
})
