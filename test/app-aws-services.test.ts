import { expect, test } from 'bun:test'
import { jsonServices, queryServices } from '../src/app/aws-services.ts'
import { openFoundation } from '../src/app/foundation.ts'
import type { Services } from '../src/app/services.ts'
import { readConfig } from '../src/config/config.ts'
import { systemClock } from '../src/lib/clock.ts'
import { randomIds } from '../src/lib/ids.ts'
import { silentLogger } from '../src/lib/logger.ts'

// A service is loaded with its first call. That its table and its model agree is found here and not by a start.
test('every AWS service is known by what its clients send, and handles or refuses every operation of its model', async () => {
  const { config } = readConfig({ ECRU_MEMORY: 'true' })
  const foundation = await openFoundation(config, silentLogger, { clock: systemClock, ids: randomIds })
  const services = {} as Services
  const json = jsonServices(foundation, services)
  const query = queryServices(foundation, services)
  for (const { targetPrefix, load } of json) expect((await load()).model.metadata.targetPrefix).toBe(targetPrefix)
  for (const { apiVersion, load } of query) expect((await load()).model.metadata.apiVersion).toBe(apiVersion)
  expect(new Set(json.map(({ targetPrefix }) => targetPrefix)).size).toBe(json.length)
  expect(new Set(query.map(({ apiVersion }) => apiVersion)).size).toBe(query.length)
  await foundation.auditLog?.close()
  await foundation.metadata.close()
  await foundation.blobs.close()
})
