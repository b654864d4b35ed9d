import { describe, expect, test } from 'bun:test'
import { sha256 } from '../../support/image-builder.ts'
import { OCI_MANIFEST } from '../../support/service-fixture.ts'
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

describe('a request counts once', () => {
  test('when a layer that cannot be mounted is to be uploaded', async () => {
    const plane = await createPlane({ rates: { InitiateLayerUpload: 1 } })
    await createRepository(plane, 'app')
    await createRepository(plane, 'other')
    const start = () => plane.ask('POST', `/v2/app/blobs/uploads/?mount=${sha256('layer')}&from=other`)
    expect((await start()).status).toBe(202)
    expect((await start()).status).toBe(429)
    await plane.close()
  })

  test('when a layer is mounted', async () => {
    const plane = await createPlane({ rates: { InitiateLayerUpload: 3 } })
    await createRepository(plane, 'app')
    await createRepository(plane, 'other')
    await putImage(plane, 'other', 'v1', 'a')
    plane.services.clock.advance(1000)
    const start = () => plane.ask('POST', `/v2/app/blobs/uploads/?mount=${sha256('layer of a')}&from=other`)
    const statuses: number[] = []
    for (let time = 0; time < 4; time++) statuses.push((await start()).status)
    expect(statuses).toEqual([201, 201, 201, 429])
    await plane.close()
  })

  test('when the client says what it holds already', async () => {
    const plane = await createPlane({ rates: { BatchGetImage: 1 } })
    await createRepository(plane, 'app')
    await putImage(plane, 'app', 'v1', 'a')
    const headers = { 'if-none-match': `"${sha256('another')}"` }
    expect((await plane.ask('GET', '/v2/app/manifests/v1', { headers })).status).toBe(200)
    expect((await plane.ask('GET', '/v2/app/manifests/v1', { headers })).status).toBe(429)
    await plane.close()
  })

  test('when it lists many referrers', async () => {
    const plane = await createPlane({ rates: { BatchGetImage: 1 } })
    await createRepository(plane, 'app')
    const subject = await putImage(plane, 'app', 'v1', 'a')
    for (let n = 0; n < 120; n++)
      await putImage(plane, 'app', `r${n}`, `referrer ${n}`, {
        subject: { mediaType: OCI_MANIFEST, digest: subject, size: 7 },
      })
    const list = () => plane.ask('GET', `/v2/app/referrers/${subject}`)
    const response = await list()
    expect(response.status).toBe(200)
    expect(((await response.json()) as { readonly manifests: readonly unknown[] }).manifests).toHaveLength(120)
    expect((await list()).status).toBe(429)
    await plane.close()
  })
})
