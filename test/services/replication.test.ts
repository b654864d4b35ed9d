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
import {
  admin,
  createServices,
  indexOf,
  manifestOf,
  OCI_MANIFEST,
  pushImage,
  pushLayer,
  REPLICATION_PATIENCE_MS,
  refTo,
  registry,
  type ServiceOptions,
  type Services,
} from '../support/service-fixture.ts'

const FAR: Registry = { registryId: registry.registryId, region: parseRegion('us-east-1') }
const OTHER: Registry = { registryId: parseRegistryId('222222222222'), region: registry.region }
const owner = rootPrincipal(OTHER.registryId, 'arn:aws:iam::222222222222:root', 'AKIAOTHER')
const ref = refTo('team/app')
const inFar = in_(FAR)

let services: Services
const open = async (options: ServiceOptions = {}) => {
  services = await createServices(options)
  await services.repositories.create(admin, ref)
}
beforeEach(() => open())
afterEach(() => services.close())

function in_(place: Registry, name = 'team/app'): RepositoryRef {
  return { registry: place, name: parseRepositoryName(name) }
}

const configure = (...destinations: Registry[]) =>
  services.replication.putConfiguration(admin, registry, { rules: [{ destinations }] })
const run = () => services.replicationJobs.replicateNow()
const statusOf = async (digest: Digest) => (await services.replication.statusOf(admin, ref, { digest })).replications

async function tagged(place: RepositoryRef, tag: string, principal: Principal = admin): Promise<Digest | undefined> {
  try {
    return (await services.images.stat(principal, place, { tag: parseTag(tag) })).digest
  } catch {
    return undefined
  }
}

async function replicationEvents() {
  const events = await services.metadata.view.outbox.list(0, 1000)
  return events
    .filter(({ detailType }) => detailType === 'ECR Replication Action')
    .map(({ registry: place, detail }) => ({ place, detail }))
}

/** What the registry policy of the other account lets the first account do. */
function permit(...actions: string[]) {
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

describe('an image that is pushed', () => {
  test('is copied with its tags, without a byte being stored again', async () => {
    await configure(FAR)
    const digest = await pushImage(services, ref, 'one', 'v1', 'latest')
    expect(await statusOf(digest)).toEqual([{ destination: FAR, status: 'IN_PROGRESS', failure: undefined }])
    const before = await services.metadata.view.blobs.totals()
    expect(await run()).toMatchObject({ copied: 1, failed: 0, postponed: 0 })
    expect(await statusOf(digest)).toMatchObject([{ status: 'COMPLETE' }])
    expect([await tagged(inFar, 'v1'), await tagged(inFar, 'latest')]).toEqual([digest, digest])
    expect(await services.metadata.view.blobs.totals()).toEqual(before)
    const pulled = await services.images.pull(admin, inFar, { digest })
    expect(pulled.manifest).toEqual((await services.images.pull(admin, ref, { digest })).manifest)
    expect(await run()).toMatchObject({ copied: 0 })
  })

  test('before replication was configured stays where it is; a tag that it gets later takes it along', async () => {
    const digest = await pushImage(services, ref, 'one', 'v1')
    await configure(FAR)
    await pushImage(services, ref, 'one', 'v1')
    expect(await run()).toMatchObject({ copied: 0 })
    await pushImage(services, ref, 'one', 'v2')
    await run()
    expect([await tagged(inFar, 'v1'), await tagged(inFar, 'v2')]).toEqual([undefined, digest])
  })

  test('goes to the registries of every rule that means its repository', async () => {
    await permit('ecr:ReplicateImage', 'ecr:CreateRepository')
    await services.replication.putConfiguration(admin, registry, {
      rules: [
        { destinations: [FAR], repositoryPrefixes: ['prod'] },
        { destinations: [OTHER], repositoryPrefixes: ['team'] },
      ],
    })
    const digest = await pushImage(services, ref, 'one', 'v1')
    await run()
    expect(await statusOf(digest)).toMatchObject([{ destination: OTHER, status: 'COMPLETE' }])
    expect(await tagged(in_(OTHER), 'v1', owner)).toBe(digest)
  })

  test('goes no further from there', async () => {
    const third: Registry = { ...FAR, region: parseRegion('us-west-2') }
    await configure(FAR)
    await services.replication.putConfiguration(admin, FAR, { rules: [{ destinations: [third] }] })
    const digest = await pushImage(services, ref, 'one', 'v1')
    await run()
    expect(await tagged(inFar, 'v1')).toBe(digest)
    expect((await services.replication.statusOf(admin, inFar, { digest })).replications).toEqual([])
    expect(await run()).toMatchObject({ copied: 0 })
  })

  test('is copied both ways between two registries, and stops there', async () => {
    await configure(FAR)
    await services.replication.putConfiguration(admin, FAR, { rules: [{ destinations: [registry] }] })
    await pushImage(services, ref, 'one', 'v1')
    expect(await run()).toMatchObject({ copied: 1 })
    const back = await pushImageTo(inFar, 'two', 'v2')
    expect(await run()).toMatchObject({ copied: 1 })
    expect(await tagged(ref, 'v2')).toBe(back)
    expect(await run()).toMatchObject({ copied: 0 })
  })

  test('takes what it lists along, also what was there before', async () => {
    const child = await pushImage(services, ref, 'child')
    await configure(FAR)
    const manifest = indexOf([child])
    const { image } = await services.images.push(admin, ref, { manifest, tags: [parseTag('multi')] })
    await run()
    expect(await tagged(inFar, 'multi')).toBe(image.digest)
    expect((await services.images.stat(admin, inFar, { digest: child })).mediaType).toBe(OCI_MANIFEST)
  })

  test('is followed by what refers to it', async () => {
    await configure(FAR)
    const subject = await pushImage(services, ref, 'one', 'v1')
    const config = await pushLayer(services, ref, '{}')
    const extra = { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 5 } }
    await services.images.push(admin, ref, { manifest: manifestOf(config, [config], extra), tags: [] })
    await run()
    const { items } = await services.imageLists.listReferrers(admin, inFar, subject, {}, { limit: 10 })
    expect(items).toHaveLength(1)
  })

  test('whose tag has moved on meanwhile arrives without it', async () => {
    await configure(FAR)
    const one = await pushImage(services, ref, 'one', 'latest')
    const two = await pushImage(services, ref, 'two', 'latest')
    await run()
    expect(await tagged(inFar, 'latest')).toBe(two)
    expect((await services.images.stat(admin, inFar, { digest: one })).digest).toBe(one)
    await pushImage(services, ref, 'one', 'latest')
    await run()
    expect(await tagged(inFar, 'latest')).toBe(one)
  })

  test('and deleted before it was copied is not copied', async () => {
    await configure(FAR)
    const digest = await pushImage(services, ref, 'one', 'v1')
    await services.imageDeletion.delete(admin, ref, { digest })
    expect(await run()).toMatchObject({ copied: 0, failed: 0, postponed: 0 })
    expect(await tagged(inFar, 'v1')).toBeUndefined()
  })

  test('stays at the destination when it is deleted at the source', async () => {
    await configure(FAR)
    const digest = await pushImage(services, ref, 'one', 'v1')
    await run()
    await services.imageDeletion.delete(admin, ref, { digest })
    await run()
    expect(await tagged(inFar, 'v1')).toBe(digest)
  })

  test('and restored from the archive is copied again, and restored there', async () => {
    await configure(FAR)
    const digest = await pushImage(services, ref, 'one', 'v1')
    await run()
    for (const place of [ref, inFar]) await services.storageClasses.update(admin, place, { digest }, 'ARCHIVE')
    await services.storageClasses.update(admin, ref, { digest }, 'STANDARD')
    expect(await run()).toMatchObject({ copied: 1 })
    expect((await services.images.stat(admin, inFar, { digest })).status).toBe('ACTIVE')
  })

  test('is told of at the destination', async () => {
    await configure(FAR)
    const digest = await pushImage(services, ref, 'one', 'v1')
    await run()
    expect(await replicationEvents()).toEqual([
      {
        place: FAR,
        detail: {
          result: 'SUCCESS',
          'repository-name': 'team/app',
          'image-digest': digest,
          'source-account': registry.registryId,
          'action-type': 'REPLICATE',
          'source-region': registry.region,
          'image-tag': 'v1',
        },
      },
    ])
  })
})

describe('the destination', () => {
  test('of another account decides by its registry policy', async () => {
    await configure(OTHER)
    const digest = await pushImage(services, ref, 'one', 'v1')
    expect(await run()).toMatchObject({ failed: 1 })
    expect(await statusOf(digest)).toMatchObject([{ status: 'FAILED', failure: { code: 'AccessDenied' } }])
    expect(await replicationEvents()).toMatchObject([{ place: OTHER, detail: { result: 'FAILED' } }])
    await permit('ecr:ReplicateImage')
    // The repository is missing, and must not be made.
    await pushImage(services, ref, 'one', 'v1')
    expect(await run()).toMatchObject({ failed: 1 })
    await services.repositories.create(owner, in_(OTHER))
    await pushImage(services, ref, 'one', 'v1')
    expect(await run()).toMatchObject({ copied: 1 })
    expect(await tagged(in_(OTHER), 'v1', owner)).toBe(digest)
  })

  test('lets nobody in who may only push', async () => {
    await permit('ecr:PutImage', 'ecr:InitiateLayerUpload', 'ecr:UploadLayerPart', 'ecr:CompleteLayerUpload')
    await services.repositories.create(owner, in_(OTHER))
    await configure(OTHER)
    const digest = await pushImage(services, ref, 'one', 'v1')
    await run()
    expect(await statusOf(digest)).toMatchObject([{ status: 'FAILED', failure: { code: 'AccessDenied' } }])
  })

  test('makes the missing repository by the template that is for replication', async () => {
    await permit('ecr:ReplicateImage', 'ecr:CreateRepository')
    await services.creationTemplates.create(owner, OTHER, 'team', {
      appliedFor: ['REPLICATION'],
      mutabilityMode: 'IMMUTABLE',
      resourceTags: [{ key: 'from', value: 'afar' }],
      customRoleArn: 'arn:aws:iam::222222222222:role/templates',
    })
    await configure(OTHER)
    await pushImage(services, ref, 'one', 'v1')
    expect(await run()).toMatchObject({ copied: 1 })
    const [made] = await services.repositories.getMany(owner, [in_(OTHER)])
    expect(made?.mutability.mode).toBe('IMMUTABLE')
    expect(await services.repositories.listTags(owner, in_(OTHER))).toEqual([{ key: 'from', value: 'afar' }])
  })

  test('keeps an immutable tag where it is: the image comes without it, and says so', async () => {
    await services.repositories.create(admin, inFar, { mutability: { mode: 'IMMUTABLE' } })
    const there = await pushImageTo(inFar, 'theirs', 'v1')
    await configure(FAR)
    const digest = await pushImage(services, ref, 'ours', 'v1', 'v2')
    expect(await run()).toMatchObject({ copied: 0, failed: 1 })
    expect([await tagged(inFar, 'v1'), await tagged(inFar, 'v2')]).toEqual([there, digest])
    expect(await statusOf(digest)).toMatchObject([{ status: 'FAILED', failure: { code: 'ImageTagAlreadyExists' } }])
    const results = (await replicationEvents()).map(({ detail }) => detail)
    expect(results).toMatchObject([
      { result: 'FAILED', 'image-tag': 'v1' },
      { result: 'SUCCESS', 'image-tag': 'v2' },
    ])
  })

  test('takes an image with immutable tags a second time', async () => {
    await services.repositories.create(admin, inFar, { mutability: { mode: 'IMMUTABLE' } })
    await configure(FAR)
    const digest = await pushImage(services, ref, 'one', 'v1')
    await run()
    await pushImage(services, ref, 'one', 'v2')
    expect(await run()).toMatchObject({ copied: 1, failed: 0 })
    expect(await tagged(inFar, 'v2')).toBe(digest)
  })

  test('with another key gets the same content, encrypted by it', async () => {
    await services.repositories.create(admin, inFar, { encryption: { type: 'KMS' } })
    await configure(FAR)
    const digest = await pushImage(services, ref, 'one', 'v1')
    expect(await run()).toMatchObject({ copied: 1 })
    const layer = await pushLayer(services, ref, 'layer of one')
    const { blob, read } = await services.layers.open(admin, inFar, layer)
    expect(blob.vault).not.toBe('')
    expect(await new Response(await read()).text()).toBe('layer of one')
    expect((await services.images.pull(admin, inFar, { digest })).image.digest).toBe(digest)
  })

  test('that has no room is tried again, until patience ends', async () => {
    await configure(FAR)
    const digest = await pushImage(services, ref, 'one', 'v1')
    const { claimed } = await failOnce('throttled')
    expect(claimed).toMatchObject({ postponed: 1 })
    expect(await statusOf(digest)).toMatchObject([{ status: 'IN_PROGRESS', failure: { code: 'Throttled' } }])
    expect(await run()).toMatchObject({ copied: 0 })
    services.clock.advance(2_000)
    expect(await run()).toMatchObject({ copied: 1 })
    expect(await tagged(inFar, 'v1')).toBe(digest)
  })

  test('that stays unable fails in the end', async () => {
    await configure(FAR)
    const digest = await pushImage(services, ref, 'one', 'v1')
    services.clock.advance(REPLICATION_PATIENCE_MS)
    expect((await failOnce('throttled')).claimed).toMatchObject({ failed: 1 })
    expect(await statusOf(digest)).toMatchObject([{ status: 'FAILED', failure: { code: 'Throttled' } }])
  })
})

describe('tag filters', () => {
  test('leave images with other tags, and other tags of images, where they are', async () => {
    await services.close()
    await open({ replicatedTags: ['v*', 'latest'] })
    await configure(FAR)
    const kept = await pushImage(services, ref, 'dev', 'dev-1')
    const copied = await pushImage(services, ref, 'one', 'v1', 'dev-2')
    expect(await run()).toMatchObject({ copied: 1 })
    expect([await tagged(inFar, 'v1'), await tagged(inFar, 'dev-2')]).toEqual([copied, undefined])
    expect(await statusOf(kept)).toEqual([])
  })
})

describe('operators', () => {
  test('see what is pending and what has failed, and ask for it again', async () => {
    await configure(FAR, OTHER)
    const digest = await pushImage(services, ref, 'one', 'v1')
    services.clock.advance(90_000)
    const commands = services.replicationCommands
    expect(await commands.run('status', {})).toMatchObject({
      destinations: [
        { destination: '123456789012/us-east-1', pending: 1, failed: 0, lagSeconds: 90 },
        { destination: '222222222222/eu-west-3', pending: 1, failed: 0, lagSeconds: 90 },
      ],
    })
    await run()
    expect(await commands.run('status', {})).toMatchObject({
      destinations: [{ destination: '222222222222/eu-west-3', pending: 0, failed: 1, lagSeconds: 0 }],
      images: [{ tags: ['v1'], status: 'FAILED', failureCode: 'AccessDenied' }],
    })
    await permit('ecr:ReplicateImage', 'ecr:CreateRepository')
    expect(await commands.run('retry', {})).toEqual({ requested: 1 })
    await run()
    expect(await tagged(in_(OTHER), 'v1', owner)).toBe(digest)
    expect(await commands.run('status', {})).toEqual({ destinations: [], images: [], deletions: [] })
    expect(await commands.run('retry', {})).toEqual({ requested: 0 })
  })

  test('hear no more of what failed on its way to where nothing goes any more', async () => {
    await configure(FAR, OTHER)
    const digest = await pushImage(services, ref, 'one', 'v1')
    await run()
    const status = () => services.replicationCommands.run('status', {})
    expect(await status()).toMatchObject({ destinations: [{ failed: 1 }] })
    await configure(OTHER)
    expect(await status()).toMatchObject({ destinations: [{ failed: 1 }] })
    await configure(FAR)
    expect(await status()).toEqual({ destinations: [], images: [], deletions: [] })
    // The copy that was made is remembered, and the other one can be asked for once there is a way again.
    await configure(FAR, OTHER)
    await permit('ecr:ReplicateImage', 'ecr:CreateRepository')
    expect(await services.replicationCommands.run('backfill', {})).toEqual({ requested: 1 })
    await run()
    expect(await tagged(in_(OTHER), 'v1', owner)).toBe(digest)
  })

  test('ask for what was pushed before, once', async () => {
    const digest = await pushImage(services, ref, 'one', 'v1', 'v2')
    await configure(FAR)
    const commands = services.replicationCommands
    expect(await commands.run('backfill', {})).toEqual({ requested: 1 })
    expect(await commands.run('backfill', {})).toEqual({ requested: 0 })
    await run()
    expect([await tagged(inFar, 'v1'), await tagged(inFar, 'v2')]).toEqual([digest, digest])
    expect(await commands.run('backfill', { region: 'us-east-1' })).toEqual({ requested: 0 })
    // A destination that is new does not have it, whatever others have.
    const third: Registry = { ...FAR, region: parseRegion('us-west-2') }
    await configure(FAR, third)
    expect(await commands.run('backfill', {})).toEqual({ requested: 1 })
    expect(await run()).toMatchObject({ copied: 1 })
    expect(await tagged(in_(third), 'v2')).toBe(digest)
    await expect(commands.run('backfill', { repository: 'x' })).rejects.toMatchObject({ code: 'invalid-parameter' })
  })
})

async function pushImageTo(place: RepositoryRef, content: string, tag: string): Promise<Digest> {
  return pushImage(services, place, content, tag)
}

/** The next transaction that would store an image at the destination fails. */
async function failOnce(code: 'throttled') {
  const { access } = services
  const authorize = access.authorize.bind(access)
  const { throttled } = await import('../../src/domain/errors.ts')
  access.authorize = async (principal, action, resource, details) => {
    if (action === 'ecr:ReplicateImage') {
      access.authorize = authorize
      throw throttled()
    }
    return authorize(principal, action, resource, details)
  }
  return { code, claimed: await run() }
}
