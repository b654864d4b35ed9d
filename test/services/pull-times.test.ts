import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { parseRegion, parseTag } from '../../src/domain/names.ts'
import type { Principal } from '../../src/domain/principal.ts'
import {
  admin,
  createServices,
  pushImage,
  refTo,
  registry,
  type Services,
  stranger,
} from '../support/service-fixture.ts'

const ref = refTo('app')
const SCANNER = `arn:aws:iam::${registry.registryId}:role/scanner`
const scanner: Principal = {
  ...admin,
  kind: 'role',
  arn: `arn:aws:sts::${registry.registryId}:assumed-role/scanner/run-1`,
  identityArn: SCANNER,
}
let services: Services
let digest: Digest

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
  digest = await pushImage(services, ref, 'a', 'v1')
})
afterEach(() => services.close())

const withCode = (code: string) => expect.objectContaining({ code })
const exclude = (arn = SCANNER) => services.pullTimeExclusions.register(admin, registry, arn)
const include = (arn = SCANNER) => services.pullTimeExclusions.deregister(admin, registry, arn)
const pulledAt = async () => (await services.imageLists.describeMany(admin, ref, [{ digest }]))[0]?.pulledAt
const pull = (principal: Principal) => services.images.pull(principal, ref, { tag: parseTag('v1') })
const pullBatch = (principal: Principal) => services.imageBatches.get(principal, ref, [{ digest }])

describe('the pull time', () => {
  test.each([
    ['one image', pull],
    ['a batch', pullBatch],
  ] as const)('stays when an excluded principal pulls %s', async (_, pullIt) => {
    await exclude()
    await pullIt(scanner)
    expect(await pulledAt()).toBeUndefined()
    const last = services.clock.now()
    await pullIt(admin)
    services.clock.advance(1000)
    await pullIt(scanner)
    expect(await pulledAt()).toEqual(last)
  })

  test('moves with pulls before the exclusion and after its end', async () => {
    await pull(scanner)
    const before = services.clock.now()
    await exclude()
    services.clock.advance(1000)
    await pull(scanner)
    await include()
    expect(await pulledAt()).toEqual(before)
    services.clock.advance(1000)
    await pull(scanner)
    expect(await pulledAt()).toEqual(services.clock.now())
  })

  test('moves where the principal is excluded in another region only', async () => {
    const elsewhere = { ...registry, region: parseRegion('us-east-1') }
    await services.pullTimeExclusions.register(admin, elsewhere, SCANNER)
    await pull(scanner)
    expect(await pulledAt()).toEqual(services.clock.now())
  })
})

describe('an exclusion', () => {
  test('is registered and deregistered once', async () => {
    expect(await exclude()).toEqual(services.clock.now())
    await expect(exclude()).rejects.toEqual(withCode('exclusion-exists'))
    await include()
    await expect(include()).rejects.toEqual(withCode('exclusion-not-found'))
  })

  test('is one of a hundred at most', async () => {
    for (let n = 0; n < 100; n++) await exclude(`${SCANNER}-${n}`)
    await expect(exclude()).rejects.toEqual(withCode('limit-exceeded'))
    await expect(exclude(`${SCANNER}-7`)).rejects.toEqual(withCode('exclusion-exists'))
    await include(`${SCANNER}-7`)
    await exclude()
    const page = await services.pullTimeExclusions.list(admin, registry, { limit: 99 })
    const rest = await services.pullTimeExclusions.list(admin, registry, { limit: 99, token: page.nextToken })
    expect([page.items.length, rest.items.length, rest.nextToken]).toEqual([99, 1, undefined])
  })

  test("is the registry's own affair", async () => {
    const { pullTimeExclusions } = services
    for (const answer of [
      () => pullTimeExclusions.register(stranger, registry, SCANNER),
      () => pullTimeExclusions.deregister(stranger, registry, SCANNER),
      () => pullTimeExclusions.list(stranger, registry, { limit: 1 }),
    ])
      await expect(answer()).rejects.toEqual(withCode('access-denied'))
  })
})
