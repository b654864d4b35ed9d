import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { parseDigest } from '../../../src/domain/digest.ts'
import { parseTag } from '../../../src/domain/names.ts'
import { userPrincipal } from '../../../src/domain/principal.ts'
import { buildImage, buildIndex, descriptor, noise, sha256 } from '../../support/image-builder.ts'
import { admin, pushImage, refTo, registry } from '../../support/service-fixture.ts'
import { UpstreamRegistry } from '../../support/upstream-registry.ts'
import { createPlane, type Plane } from './plane.ts'

const HOUR = 3_600_000
const LARGE = buildImage('large', { layers: [{ 'data/a.bin': noise('large', 6_000_000) }, { small: 'x' }] })

let upstream: UpstreamRegistry
let plane: Plane

beforeEach(async () => {
  upstream = await UpstreamRegistry.start()
  plane = await createPlane()
  await rule('hub')
})
afterEach(async () => {
  await plane.close()
  await upstream.stop()
  expect(plane.reported).toEqual([])
  expect(plane.services.importReports).toEqual([])
})

const rule = (prefix: string, upstreamPrefix?: string) =>
  plane.services.pullThroughRules.create(admin, registry, { prefix, upstreamUrl: upstream.url.origin, upstreamPrefix })

/** With a login of this moment: the clock moves by days. */
async function get(path: string, headers: Record<string, string> = {}) {
  const { password } = await plane.services.tokens.issue(admin, registry.region)
  const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
  return plane.ask('GET', path, { headers: { authorization, ...headers } })
}
const manifestOf = (name: string, reference: string, headers: Record<string, string> = {}) =>
  get(`/v2/${name}/manifests/${reference}`, headers)
const layerOf = (name: string, digest: string, headers: Record<string, string> = {}) =>
  get(`/v2/${name}/blobs/${digest}`, headers)
const codeOf = async (answer: Response) => ((await answer.json()) as { errors: { code: string }[] }).errors[0]?.code

async function pull(name: string, reference: string): Promise<string> {
  const answer = await manifestOf(name, reference)
  expect(answer.status).toBe(200)
  const bytes = await answer.bytes()
  const document = JSON.parse(Buffer.from(bytes).toString())
  for (const child of document.manifests ?? []) await pull(name, child.digest)
  for (const { digest } of [document.config, ...(document.layers ?? [])].filter(Boolean)) {
    const layer = await layerOf(name, digest)
    expect([layer.status, sha256(await layer.bytes())]).toEqual([200, digest])
  }
  return sha256(bytes)
}

/** Until what is on its way is here. */
async function arrived(name: string, reference: string) {
  await plane.services.pullThrough.idle()
  const wanted = reference.includes(':') ? { digest: parseDigest(reference) } : { tag: parseTag(reference) }
  const found = await plane.services.metadata.view.images.resolve(refTo(name), wanted)
  return found?.found?.image
}

const events = async () =>
  (await plane.services.metadata.view.outbox.list(0, 100))
    .filter(({ detailType }) => detailType === 'ECR Pull Through Cache Action')
    .map(({ detail }) => detail as unknown as Record<string, string>)

describe('the first pull', () => {
  test('is answered from the upstream, and makes repository and image', async () => {
    const digest = upstream.addImage(LARGE, 'library/app', '1')
    expect(await pull('hub/library/app', '1')).toBe(digest)
    const image = await arrived('hub/library/app', '1')
    expect(image?.digest as string).toBe(digest)
    expect(await events()).toMatchObject([
      {
        'sync-status': 'SUCCESS',
        'ecr-repository-prefix': 'hub',
        'repository-name': 'hub/library/app',
        'image-tag': '1',
        'image-digest': digest,
      },
    ])
    await upstream.stop()
    expect(await pull('hub/library/app', '1')).toBe(digest)
    upstream = await UpstreamRegistry.start()
  })

  test('by digest needs the upstream once', async () => {
    const digest = upstream.addImage(LARGE, 'library/app')
    expect(await pull('hub/library/app', digest)).toBe(digest)
    await arrived('hub/library/app', digest)
    const asked = upstream.asked.length
    plane.services.clock.advance(72 * HOUR)
    expect(await pull('hub/library/app', digest)).toBe(digest)
    expect(upstream.asked.length).toBe(asked)
  })

  test('of an index brings all its children', async () => {
    const arm = { os: 'linux', architecture: 'arm64' }
    const index = buildIndex([LARGE, buildImage('arm', { platform: arm, layers: [{ a: 'arm' }] })])
    const digest = upstream.addIndex(index, 'multi', 'v1')
    expect(sha256(await (await manifestOf('hub/multi', 'v1')).bytes())).toBe(digest)
    expect((await arrived('hub/multi', 'v1'))?.digest as string).toBe(digest)
    await upstream.stop()
    await pull('hub/multi', 'v1')
    upstream = await UpstreamRegistry.start()
  })

  test('by a hundred at once asks for each blob once', async () => {
    const small = buildImage('small', { layers: [{ 'a.bin': noise('small', 1_000_000) }, { b: 'b' }] })
    upstream.addImage(small, 'app', '1')
    await Promise.all(Array.from({ length: 100 }, () => pull('hub/app', '1')))
    await arrived('hub/app', '1')
    expect(upstream.count('GET /v2/app/manifests/')).toBe(1)
    for (const { digest } of [small.config, ...small.layers])
      expect(upstream.count(`GET /v2/app/blobs/${digest}`)).toBe(1)
  })

  test('gets bytes while they come, and goes on when its client leaves', async () => {
    const [layer] = LARGE.layers
    if (layer === undefined) throw new Error('no layer')
    upstream.addImage(LARGE, 'app', '1')
    const gate = Promise.withResolvers<void>()
    upstream.fault = ({ path }, response) => {
      if (!path.endsWith(layer.digest)) return false
      response.writeHead(200, { 'content-length': String(layer.bytes.length) })
      response.write(layer.bytes.subarray(0, 3_000_000))
      void gate.promise.then(() => response.end(layer.bytes.subarray(3_000_000)))
      return true
    }
    await manifestOf('hub/app', '1')
    const reader = (await layerOf('hub/app', layer.digest)).body?.getReader()
    expect((await reader?.read())?.value?.byteLength).toBeGreaterThan(0)
    await reader?.cancel()
    const late = layerOf('hub/app', layer.digest, { range: 'bytes=5000000-5000009' })
    gate.resolve()
    expect(Buffer.compare(await (await late).bytes(), layer.bytes.subarray(5_000_000, 5_000_010))).toBe(0)
    expect(await arrived('hub/app', '1')).toBeDefined()
    expect(upstream.count(`GET /v2/app/blobs/${layer.digest}`)).toBe(1)
  })

  test('of what the upstream does not have finds nothing, and makes no repository', async () => {
    const answer = await manifestOf('hub/none', '1')
    expect([answer.status, await codeOf(answer)]).toEqual([404, 'NAME_UNKNOWN'])
    expect(await plane.services.metadata.view.repositories.find(refTo('hub/none'))).toBeUndefined()
  })

  test('asks HEAD without bringing a layer', async () => {
    upstream.addImage(LARGE, 'app', '1')
    expect((await plane.ask('HEAD', '/v2/hub/app/manifests/1')).headers.get('docker-content-digest')).toBe(
      LARGE.manifest.digest,
    )
  })
})

describe('what is told of an import', () => {
  const about = (more: object) => ({
    'rule-version': '1',
    'ecr-repository-prefix': 'hub',
    'repository-name': 'hub/app',
    'upstream-registry-url': upstream.url.origin,
    'image-tag': '1',
    ...more,
  })
  const told = async () =>
    (await plane.services.metadata.view.outbox.list(0, 100))
      .filter(({ detailType }) => detailType === 'ECR Pull Through Cache Action')
      .map(({ source, resources, detail }) => ({ source, resources, detail: detail as object }))
  const envelope = (detail: object) => ({
    source: 'aws.ecr',
    resources: [`arn:aws:ecr:${registry.region}:${registry.registryId}:repository/hub/app`],
    detail,
  })

  test('that succeeds: an event and a record, once, with tag and digest', async () => {
    const digest = upstream.addImage(LARGE, 'app', '1')
    await pull('hub/app', '1')
    await pull('hub/app', '1')
    await arrived('hub/app', '1')
    expect(await told()).toEqual([envelope(about({ 'sync-status': 'SUCCESS', 'image-digest': digest }))])
    expect(plane.services.serviceEvents).toMatchObject([
      {
        accountId: registry.registryId,
        region: registry.region,
        eventSource: 'ecr.amazonaws.com',
        eventName: 'BatchImportUpstreamImage',
        isReadOnly: false,
        details: { repositoryName: 'hub/app', imageIds: [{ imageTag: '1', imageDigest: digest }] },
      },
    ])
  })

  test.each([
    [403, 'UpstreamAccessDenied', 'refuses the manifest app:1 (403)'],
    [429, 'UpstreamTooManyRequests', 'limits how often it is asked'],
    [418, 'UpstreamUnavailable', 'answers 418 when asked for the manifest app:1'],
  ])('that fails by %p: an event, and no record', async (status, code, reason) => {
    upstream.fault = (_, response) => {
      response.writeHead(status, { 'retry-after': '600' }).end()
      return true
    }
    await manifestOf('hub/app', '1')
    const failure = { 'failure-code': code, 'failure-reason': `${upstream.url.host} ${reason}` }
    expect(await told()).toEqual([envelope(about({ 'sync-status': 'FAILED', ...failure }))])
    expect(plane.services.serviceEvents).toEqual([])
  })
})

describe('what is counted', () => {
  const counts = () => {
    const [rule] = plane.services.pullThroughCounts.rules
    return { ...Object.fromEntries(rule?.outcomes ?? []), ...Object.fromEntries(rule?.failures ?? []) }
  }

  test('hits, misses, stale answers, failures and bytes, by rule', async () => {
    upstream.addImage(LARGE, 'app', '1')
    await manifestOf('hub/app', '1')
    await arrived('hub/app', '1')
    await manifestOf('hub/app', '1')
    plane.services.clock.advance(24 * HOUR)
    await manifestOf('hub/app', '1')
    expect(counts()).toEqual({ miss: 1, hit: 2 })
    const sizes = [LARGE.config, ...LARGE.layers].map(({ bytes }) => bytes.length)
    const [rule] = plane.services.pullThroughCounts.rules
    expect([rule?.rule?.prefix, rule?.receivedBytes]).toEqual(['hub', sizes.reduce((sum, size) => sum + size, 0)])
    upstream.fault = (_, response) => {
      response.writeHead(403).end()
      return true
    }
    plane.services.clock.advance(24 * HOUR)
    await manifestOf('hub/app', '1')
    await manifestOf('hub/app', '1')
    await manifestOf('hub/app', '2')
    expect(counts()).toEqual({ miss: 1, hit: 2, stale: 2, failed: 1, denied: 2 })
  })

  test('a layer of other bytes, as a failure of the upstream', async () => {
    upstream.addImage(LARGE, 'app', '1')
    upstream.blobs.set(LARGE.config.digest, noise('wrong', LARGE.config.bytes.length))
    await manifestOf('hub/app', '1')
    await plane.services.pullThrough.idle()
    expect(counts()).toEqual({ miss: 1, wrong: 1 })
  })
})

describe('the name upstream', () => {
  test('is that behind the longest prefix, behind the prefix there', async () => {
    upstream.addImage(LARGE, 'team/x/app', '1')
    upstream.addImage(LARGE, 'root/app', '1')
    await rule('hub/deep/', 'team')
    await rule('ROOT')
    expect((await manifestOf('hub/deep/x/app', '1')).status).toBe(200)
    expect((await manifestOf('root/app', '1')).status).toBe(200)
    expect((await manifestOf('hub/x/app', '1')).status).toBe(404)
    await arrived('hub/deep/x/app', '1')
    await arrived('root/app', '1')
  })

  test('what is under no rule stays as it is', async () => {
    expect((await manifestOf('other/app', '1')).status).toBe(404)
    expect(upstream.asked).toEqual([])
  })
})

describe('a tag', () => {
  const other = buildImage('other', { layers: [{ a: 'other' }] })

  test('is compared a day later, and moved when it has moved there', async () => {
    const first = upstream.addImage(LARGE, 'app', '1')
    await pull('hub/app', '1')
    await arrived('hub/app', '1')
    const second = upstream.addImage(other, 'app', '1')
    plane.services.clock.advance(23 * HOUR)
    expect(await pull('hub/app', '1')).toBe(first)
    plane.services.clock.advance(HOUR)
    expect(await pull('hub/app', '1')).toBe(second)
    expect((await arrived('hub/app', '1'))?.digest as string).toBe(second)
    expect(await pull('hub/app', first)).toBe(first)
  })

  test('that has not moved is fresh for another day, and asks for no manifest', async () => {
    upstream.addImage(LARGE, 'app', '1')
    await pull('hub/app', '1')
    await arrived('hub/app', '1')
    plane.services.clock.advance(24 * HOUR)
    await pull('hub/app', '1')
    await pull('hub/app', '1')
    expect(upstream.count('HEAD /v2/app/manifests/1')).toBe(1)
    expect(upstream.count('GET /v2/app/manifests/1')).toBe(1)
  })

  test('is compared at once for who asks so', async () => {
    upstream.addImage(LARGE, 'app', '1')
    await pull('hub/app', '1')
    await arrived('hub/app', '1')
    const second = upstream.addImage(other, 'app', '1')
    const answer = await manifestOf('hub/app', '1', { 'cache-control': 'no-cache' })
    expect(answer.headers.get('docker-content-digest')).toBe(second)
    await arrived('hub/app', '1')
  })

  test.each([[500], [403], [429], [404]])('stays what it was while the upstream answers %p', async (status) => {
    const digest = upstream.addImage(LARGE, 'app', '1')
    await pull('hub/app', '1')
    await arrived('hub/app', '1')
    plane.services.clock.advance(24 * HOUR)
    upstream.fault = (_, response) => {
      response.writeHead(status, { 'retry-after': '3600' }).end()
      return true
    }
    expect(await pull('hub/app', '1')).toBe(digest)
    const asked = upstream.asked.length
    expect(await pull('hub/app', '1')).toBe(digest)
    expect(upstream.asked.length).toBe(asked)
  })

  test('that was pushed here is the pusher’s', async () => {
    await plane.services.repositories.create(admin, refTo('hub/app'))
    const own = await pushImage(plane.services, refTo('hub/app'), 'own', '1')
    upstream.addImage(LARGE, 'app', '1')
    plane.services.clock.advance(48 * HOUR)
    expect((await manifestOf('hub/app', '1')).headers.get('docker-content-digest')).toBe(own)
  })

  test('that is immutable here stays', async () => {
    const first = upstream.addImage(LARGE, 'app', '1')
    const template = { appliedFor: ['PULL_THROUGH_CACHE'], mutabilityMode: 'IMMUTABLE' } as const
    await plane.services.creationTemplates.create(admin, registry, 'hub', template)
    await pull('hub/app', '1')
    await arrived('hub/app', '1')
    upstream.addImage(other, 'app', '1')
    plane.services.clock.advance(25 * HOUR)
    await manifestOf('hub/app', '1')
    expect((await arrived('hub/app', '1'))?.digest as string).toBe(first)
  })
})

describe('an upstream that fails', () => {
  const answer = (status: number, headers = {}) => {
    upstream.fault = (_, response) => {
      response.writeHead(status, headers).end()
      return true
    }
  }

  test.each([
    [401, 403, 'DENIED'],
    [403, 403, 'DENIED'],
    [503, 503, 'UNKNOWN'],
    [418, 502, 'UNKNOWN'],
  ])('with %p is a %p', async (theirs, ours, code) => {
    answer(theirs)
    const refused = await manifestOf('hub/app', '1')
    expect([refused.status, await codeOf(refused)]).toEqual([ours, code])
    expect(await events()).toMatchObject([{ 'sync-status': 'FAILED', 'image-tag': '1' }])
  })

  test('with 429 is left alone for as long as it says', async () => {
    answer(429, { 'retry-after': '120' })
    const refused = await manifestOf('hub/app', '1')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '120'])
    plane.services.clock.advance(60_000)
    expect((await manifestOf('hub/other', '1')).headers.get('retry-after')).toBe('60')
    expect(upstream.asked.length).toBe(1)
    upstream.fault = () => false
    upstream.addImage(LARGE, 'app', '1')
    plane.services.clock.advance(60_000)
    await pull('hub/app', '1')
    await arrived('hub/app', '1')
  })

  test('with other bytes gives nobody a whole layer, and makes no image', async () => {
    upstream.addImage(LARGE, 'app', '1')
    const [layer] = LARGE.layers
    if (layer === undefined) throw new Error('no layer')
    upstream.blobs.set(layer.digest, noise('wrong', layer.bytes.length))
    expect((await manifestOf('hub/app', '1')).status).toBe(200)
    const received = (await layerOf('hub/app', layer.digest)).bytes()
    await expect(received).rejects.toThrow()
    await received.catch(() => undefined)
    await plane.services.pullThrough.close()
    expect(await plane.services.metadata.view.images.resolve(refTo('hub/app'), { tag: parseTag('1') })).toMatchObject({
      found: undefined,
    })
    expect(await events()).toMatchObject([{ 'sync-status': 'FAILED' }])
  })

  test('with a manifest of other bytes gives none', async () => {
    const digest = upstream.addImage(LARGE, 'app', '1')
    upstream.manifests.set(`app@${digest}`, { mediaType: LARGE.manifest.mediaType, bytes: Buffer.from('{}') })
    expect((await manifestOf('hub/app', '1')).status).toBe(502)
  })
})

describe('whoever may not have images brought', () => {
  const user = userPrincipal(registry.registryId, 'arn:aws:iam::123456789012:user/ci', 'AIDACI', 'AKIACI')
  const policy = (...denied: string[]) =>
    plane.services.policies.putOfRegistry(
      admin,
      registry,
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [
          {
            Effect: 'Deny',
            Principal: { AWS: user.arn },
            Action: denied,
            Resource: `arn:aws:ecr:${registry.region}:${registry.registryId}:repository/*`,
          },
        ],
      }),
    )
  const find = (reference = '1') =>
    plane.services.pullThrough.find(user, refTo('hub/app'), { tag: parseTag(reference) })

  test('finds what is cached, and otherwise nothing', async () => {
    upstream.addImage(LARGE, 'app', '1', '2')
    await policy('ecr:BatchImportUpstreamImage')
    expect(await find()).toBeUndefined()
    expect(upstream.asked).toEqual([])
    await pull('hub/app', '1')
    await arrived('hub/app', '1')
    await expect(plane.services.images.pull(user, refTo('hub/app'), { tag: parseTag('1') })).resolves.toBeDefined()
    expect(await find('2')).toBeUndefined()
    expect(await plane.services.pullThrough.openBlob(user, refTo('hub/app'), parseDigest(sha256('x')))).toBeUndefined()
  })

  test('makes no repository', async () => {
    upstream.addImage(LARGE, 'app', '1')
    await policy('ecr:CreateRepository')
    expect(await find()).toBeUndefined()
    expect(upstream.asked).toEqual([])
  })
})

describe('referrers', () => {
  test('come with a list of them, which is good for six hours', async () => {
    const digest = upstream.addImage(LARGE, 'app', '1')
    const refer = (seed: string) =>
      buildImage(seed, {
        layers: [{ [seed]: seed }],
        manifest: { artifactType: 'application/spdx+json', subject: descriptor(LARGE.manifest) },
      })
    const first = upstream.addImage(refer('sbom'), 'app')
    await pull('hub/app', '1')
    await arrived('hub/app', '1')
    const list = async () => {
      const answer = await (await get(`/v2/hub/app/referrers/${digest}`)).json()
      const { manifests } = answer as { manifests: { digest: string }[] }
      return manifests.map((one) => one.digest)
    }
    expect(await list()).toEqual([first])
    const second = upstream.addImage(refer('signature'), 'app')
    plane.services.clock.advance(5 * HOUR)
    expect(await list()).toEqual([first])
    plane.services.clock.advance(HOUR)
    expect((await list()).sort()).toEqual([first, second].sort())
    upstream.fault = (_, response) => {
      response.writeHead(503).end()
      return true
    }
    plane.services.clock.advance(7 * HOUR)
    expect(await list()).toHaveLength(2)
  })
})
