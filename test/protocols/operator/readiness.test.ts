import { afterAll, beforeAll, expect, test } from 'bun:test'
import { storageFull } from '../../../src/domain/errors.ts'
import { createServices, type Services } from '../../support/service-fixture.ts'
import { askOperator } from './operator-fixture.ts'

let services: Services

beforeAll(async () => {
  services = await createServices()
})

afterAll(() => services.close())

const ask = (checkReady: () => Promise<void>) =>
  askOperator(services, '/_ecru/ready', { method: 'GET', profile: 'server', isLoopback: false }, {}, checkReady)

test('a registry whose stores work is ready, for everybody who asks', async () => {
  expect(await ask(async () => undefined)).toEqual({ status: 200, body: { status: 'ready' } })
})

test('a full disk keeps it ready, since pulls go on', async () => {
  const answer = await ask(async () => {
    throw storageFull()
  })
  expect(answer).toEqual({ status: 200, body: { status: 'ready', storage: 'full' } })
})

test('any other failure does not, and is told to the log alone', async () => {
  const answer = await ask(async () => {
    throw new Error('the disk is gone')
  })
  expect(answer.status).toBe(503)
  expect(JSON.stringify(answer.body)).not.toContain('gone')
})
