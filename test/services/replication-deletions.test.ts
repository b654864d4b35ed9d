import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import {
  parseRegion,
  parseRegistryId,
  parseRepositoryName,
  parseTag,
  type Registry,
  type RepositoryRef,
} from '../../src/domain/names.ts'
import { type Principal, rootPrincipal } from '../../src/domain/principal.ts'
import type { ReplicatedDeletions } from '../../src/domain/replication/deletions.ts'
import {
  admin,
  createServices,
  indexOf,
  pushImage,
  refTo,
  registry,
  type Services,
} from '../support/service-fixture.ts'

const FAR: Registry = { registryId: registry.registryId, region: parseRegion('us-east-1') }
const OTHER: Registry = { registryId: parseRegistryId('222222222222'), region: registry.region }
const owner = rootPrincipal(OTHER.registryId, 'arn:aws:iam::222222222222:root', 'AKIAOTHER')
const ref = refTo('team/app')
const inFar = in_(FAR)

let services: Services
const open = async (replicatedDeletions: ReplicatedDeletions) => {
  services = await createServices({ replicatedDeletions })
  await services.repositories.create(admin, ref)
  await configure(FAR)
}
beforeEach(() => open('asked'))
afterEach(() => services.close())

function in_(place: Registry): RepositoryRef {
  return { registry: place, name: parseRepositoryName('team/app') }
}

const configure = (...destinations: Registry[]) =>
  services.replication.putConfiguration(admin, registry, { rules: [{ destinations }] })
const run = () => services.replicationJobs.replicateNow()
const remove = (place: RepositoryRef, reference: { digest: Digest } | string) =>
  services.imageDeletion.delete(admin, place, typeof reference === 'string' ? { tag: parseTag(reference) } : reference)
const push = (content: string, ...tags: string[]) => pushImage(services, ref, content, ...tags)
const pushed = async (content: string, ...tags: string[]) => {
  const digest = await push(content, ...tags)
  await run()
  return digest
}

async function found(place: RepositoryRef, reference: Digest | string, principal: Principal = admin) {
  const named = reference.startsWith('sha256:') ? { digest: reference as Digest } : { tag: parseTag(reference) }
  return services.images.stat(principal, place, named).then(
    ({ digest }) => digest,
    () => undefined,
  )
}

describe('what is deleted at the source', () => {
  test('goes at the destination: an image with its tags', async () => {
    const digest = await pushed('one', 'v1', 'v2')
    await remove(ref, { digest })
    expect(await run()).toMatchObject({ deleted: 1, failed: 0 })
    expect([await found(inFar, digest), await found(inFar, 'v1')]).toEqual([undefined, undefined])
    expect(await run()).toMatchObject({ deleted: 0 })
  })

  test('goes at the destination: one tag, the image stays', async () => {
    const digest = await pushed('one', 'v1', 'v2')
    await remove(ref, 'v1')
    await run()
    expect([await found(inFar, 'v1'), await found(inFar, 'v2')]).toEqual([undefined, digest])
  })

  test('by BatchDeleteImage goes as well, with a tag that was the last one', async () => {
    const digest = await pushed('one', 'v1')
    await services.imageDeletion.deleteMany(admin, ref, [{ tag: 'v1' }])
    await run()
    expect(await found(inFar, digest)).toBeUndefined()
  })

  test('stays there unless that is wanted', async () => {
    await services.close()
    await open('off')
    const digest = await pushed('one', 'v1')
    await remove(ref, { digest })
    expect(await run()).toMatchObject({ deleted: 0 })
    expect(await found(inFar, 'v1')).toBe(digest)
  })

  test('goes after what lists it, as at the source', async () => {
    const child = await push('child')
    const { image } = await services.images.push(admin, ref, {
      manifest: indexOf([child]),
      tags: [parseTag('multi')],
    })
    await run()
    await remove(ref, { digest: image.digest })
    await remove(ref, { digest: child })
    expect(await run()).toMatchObject({ deleted: 2 })
    expect([await found(inFar, 'multi'), await found(inFar, child)]).toEqual([undefined, undefined])
  })

  test('and pushed again before it was told stays, without the tags that it no longer has', async () => {
    const digest = await pushed('one', 'v1', 'v2')
    await remove(ref, { digest })
    await push('one', 'v1')
    await run()
    expect([await found(inFar, 'v1'), await found(inFar, 'v2')]).toEqual([digest, undefined])
  })

  test('leaves a tag that was set on another image meanwhile', async () => {
    await pushed('one', 'latest')
    await remove(ref, 'latest')
    const two = await push('two', 'latest')
    await run()
    expect(await found(inFar, 'latest')).toBe(two)
  })

  test('takes a tag along that was moved and deleted before either was told', async () => {
    await pushed('one', 'latest')
    const two = await push('two', 'latest')
    await remove(ref, 'latest')
    await run()
    expect([await found(inFar, 'latest'), await found(inFar, two)]).toEqual([undefined, two])
  })

  test('reaches a copy that had been made before the image went, though nobody had noted it', async () => {
    const digest = await pushed('one', 'v1')
    await push('one', 'v2')
    await remove(ref, { digest })
    await run()
    expect(await found(inFar, digest)).toBeUndefined()
  })

  test('is not told of where nothing is replicated any more', async () => {
    const digest = await pushed('one', 'v1')
    await remove(ref, { digest })
    await services.replication.putConfiguration(admin, registry, { rules: [] })
    expect(await run()).toMatchObject({ deleted: 0 })
    expect(await found(inFar, 'v1')).toBe(digest)
    await configure(FAR)
    expect(await run()).toMatchObject({ deleted: 0 })
  })

  test('takes a whole repository along only image by image', async () => {
    const digest = await pushed('one', 'v1')
    await services.repositories.delete(admin, ref, true)
    expect(await run()).toMatchObject({ deleted: 0 })
    expect(await found(inFar, 'v1')).toBe(digest)
  })
})

describe('what the destination got otherwise', () => {
  test('stays: an image that was pushed there before', async () => {
    await services.repositories.create(admin, inFar)
    const digest = await pushImage(services, inFar, 'one', 'mine')
    await pushed('one', 'v1')
    await remove(ref, { digest })
    await run()
    expect(await found(inFar, 'mine')).toBe(digest)
  })

  test('stays: an image that was pushed there, too, and its tags', async () => {
    const digest = await pushed('one', 'v1')
    await pushImage(services, inFar, 'one', 'mine')
    await remove(ref, 'v1')
    await remove(ref, { digest })
    await run()
    expect([await found(inFar, 'mine'), await found(inFar, 'v1')]).toEqual([digest, digest])
  })

  test('stays: a tag that was moved there', async () => {
    await pushed('one', 'latest')
    const theirs = await pushImage(services, inFar, 'theirs', 'latest')
    await remove(ref, 'latest')
    await run()
    expect(await found(inFar, 'latest')).toBe(theirs)
  })

  test('stays: an image that came from another registry as well, until that deletes it, too', async () => {
    const third: Registry = { ...FAR, region: parseRegion('us-west-2') }
    const inThird = in_(third)
    await services.replication.putConfiguration(admin, third, { rules: [{ destinations: [FAR] }] })
    await services.repositories.create(admin, inThird)
    const digest = await pushed('one', 'v1')
    await pushImage(services, inThird, 'one', 'w1')
    await run()
    await remove(ref, { digest })
    await run()
    expect(await found(inFar, 'w1')).toBe(digest)
    await remove(inThird, { digest })
    await run()
    expect(await found(inFar, digest)).toBeUndefined()
  })
})

describe('a destination of another account', () => {
  const permit = (...actions: string[]) => {
    const statement = {
      Sid: 'replication',
      Effect: 'Allow',
      Principal: { AWS: 'arn:aws:iam::123456789012:root' },
      Action: actions,
      Resource: [`arn:aws:ecr:${OTHER.region}:${OTHER.registryId}:repository/*`],
    }
    const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    return services.policies.putOfRegistry(owner, OTHER, text)
  }

  test('permits it by BatchDeleteImage; until then it has failed, is shown, and can be asked for again', async () => {
    await configure(OTHER)
    await permit('ecr:ReplicateImage', 'ecr:CreateRepository')
    const digest = await pushed('one', 'v1')
    await remove(ref, { digest })
    expect(await run()).toMatchObject({ deleted: 0, failed: 1 })
    expect(await found(in_(OTHER), 'v1', owner)).toBe(digest)
    expect(await services.replicationCommands.run('status', {})).toMatchObject({
      destinations: [{ failed: 0, failedDeletions: 1, pendingDeletions: 0 }],
      deletions: [{ digest, tags: ['v1'], status: 'FAILED', failureCode: 'AccessDenied' }],
    })
    await permitOnRepository()
    expect(await services.replicationCommands.run('retry', {})).toEqual({ requested: 1 })
    expect(await run()).toMatchObject({ deleted: 1 })
    expect(await found(in_(OTHER), digest, owner)).toBeUndefined()
  })

  const permitOnRepository = () =>
    services.policies.setOfRepository(
      owner,
      in_(OTHER),
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Allow',
            Principal: { AWS: 'arn:aws:iam::123456789012:root' },
            Action: 'ecr:BatchDeleteImage',
          },
        ],
      }),
      true,
    )
})

describe('a lifecycle policy', () => {
  const expireAll = async () => {
    const rule = {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'expire' },
    }
    await services.lifecycle.putPolicy(admin, ref, JSON.stringify({ rules: [rule] }))
    await services.lifecycleJobs.run(ref)
  }

  for (const [which, isKept] of [
    ['asked', true],
    ['all', false],
  ] as const)
    test(`deletes elsewhere ${isKept ? 'nothing' : 'as well'} with "${which}"`, async () => {
      await services.close()
      await open(which)
      const old = await pushed('old', 'v1')
      services.clock.advance(1_000)
      const young = await pushed('young', 'v2')
      await expireAll()
      await run()
      expect([await found(ref, 'v1'), await found(ref, 'v2')]).toEqual([undefined, young])
      expect(await found(inFar, 'v1')).toBe(isKept ? old : undefined)
    })
})

describe('what came by replication', () => {
  const third: Registry = { ...FAR, region: parseRegion('us-west-2') }

  test('goes no further by a back-fill or a restoration', async () => {
    const digest = await pushed('one', 'v1')
    await services.replication.putConfiguration(admin, FAR, { rules: [{ destinations: [third] }] })
    expect(await services.replicationCommands.run('backfill', { region: FAR.region })).toEqual({ requested: 0 })
    await services.storageClasses.update(admin, inFar, { digest }, 'ARCHIVE')
    await services.storageClasses.update(admin, inFar, { digest }, 'STANDARD')
    expect(await run()).toMatchObject({ copied: 0 })
    expect(await found(in_(third), 'v1')).toBeUndefined()
  })

  test('is deleted no further than to where it was copied', async () => {
    const digest = await pushed('one', 'v1')
    await services.replication.putConfiguration(admin, FAR, { rules: [{ destinations: [registry] }] })
    await remove(inFar, { digest })
    expect(await run()).toMatchObject({ deleted: 0 })
    expect(await found(ref, 'v1')).toBe(digest)
  })
})
