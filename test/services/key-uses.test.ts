import { expect, test } from 'bun:test'
import { randomIds } from '../../src/lib/ids.ts'
import { Callers } from '../../src/services/credentials/callers.ts'
import { KeyUses } from '../../src/services/credentials/key-uses.ts'
import { RootKeys } from '../../src/services/credentials/root-keys.ts'
import { createServices, registry } from '../support/service-fixture.ts'

test('a key that signed is remembered, with where and for what, and nobody’s permissions are read anew for it', async () => {
  const { metadata, clock, close } = await createServices()
  const errors: unknown[] = []
  const uses = new KeyUses(metadata, clock, (error) => errors.push(error))
  const callers = new Callers(metadata, registry, clock, uses)
  await new RootKeys(metadata, registry, clock, randomIds).put({ accessKeyId: 'AKIAROOT', secretAccessKey: 's' })
  const revision = metadata.policyRevision
  const sign = (service: string) =>
    callers.identify({ accessKeyId: 'AKIAROOT', isVerified: true, region: 'eu-west-3', service })
  const lastUsed = async () => (await metadata.view.credentials.findAccessKey('AKIAROOT'))?.lastUsed
  await sign('ecr')
  await uses.flush()
  const at = clock.now()
  expect(await lastUsed()).toEqual({ at, region: 'eu-west-3', service: 'ecr' })
  clock.advance(1000)
  await sign('ecr')
  await uses.flush()
  expect((await lastUsed())?.at).toEqual(at)
  await sign('sts')
  await uses.flush()
  expect(await lastUsed()).toMatchObject({ service: 'sts' })
  expect([metadata.policyRevision, errors]).toEqual([revision, []])
  await close()
})
