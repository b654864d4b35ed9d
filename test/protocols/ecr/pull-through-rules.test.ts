import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  BatchGetImageCommand,
  CreatePullThroughCacheRuleCommand,
  type CreatePullThroughCacheRuleCommandInput,
  DeletePullThroughCacheRuleCommand,
  DescribePullThroughCacheRulesCommand,
  GetDownloadUrlForLayerCommand,
  ListImageReferrersCommand,
  UpdatePullThroughCacheRuleCommand,
  ValidatePullThroughCacheRuleCommand,
} from '@aws-sdk/client-ecr'
import { CreateSecretCommand, DeleteSecretCommand } from '@aws-sdk/client-secrets-manager'
import { buildImage } from '../../support/image-builder.ts'
import { UpstreamRegistry } from '../../support/upstream-registry.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const IMAGE = buildImage('one', { layers: [{ a: 'a' }] })
const ROLE = 'arn:aws:iam::123456789012:role/pull-through'

let ecr: EcrFixture
beforeEach(async () => {
  ecr = await createEcr()
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const create = (input: Partial<CreatePullThroughCacheRuleCommandInput> = {}) =>
  ecr.client.send(
    new CreatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: 'cache', upstreamRegistryUrl: 'quay.io', ...input }),
  )
const describeAll = async (ecrRepositoryPrefixes?: string[]) =>
  (await ecr.client.send(new DescribePullThroughCacheRulesCommand({ ecrRepositoryPrefixes }))).pullThroughCacheRules
const validate = (ecrRepositoryPrefix = 'cache') =>
  ecr.client.send(new ValidatePullThroughCacheRuleCommand({ ecrRepositoryPrefix }))
const codeOf = async (promise: Promise<unknown>) => (await refusalOf(promise))[0]

async function secret(name = 'hub', text = '{"username":"me","accessToken":"secret"}'): Promise<string> {
  const made = await ecr
    .secretsOf('123456789012')
    .send(new CreateSecretCommand({ Name: `ecr-pullthroughcache/${name}`, SecretString: text }))
  return String(made.ARN)
}

describe('a rule', () => {
  test('comes back as it was made, without what nobody said', async () => {
    const made = await create()
    const { $metadata: _, ...output } = made
    expect(output).toEqual({
      ecrRepositoryPrefix: 'cache',
      upstreamRegistryUrl: 'quay.io',
      registryId: '123456789012',
      createdAt: expect.any(Date),
    })
    expect(await describeAll(['cache'])).toEqual([{ ...output, updatedAt: expect.any(Date) }])
  })

  test('of an upstream with credentials has its secret', async () => {
    const credentialArn = await secret()
    await create({ upstreamRegistryUrl: 'registry-1.docker.io', credentialArn, upstreamRepositoryPrefix: 'library' })
    expect(await describeAll()).toMatchObject([
      { upstreamRegistry: 'docker-hub', credentialArn, upstreamRepositoryPrefix: 'library' },
    ])
  })

  test('is one for each prefix, whatever slash it ends in', async () => {
    await create()
    expect(await codeOf(create({ ecrRepositoryPrefix: 'cache/' }))).toBe('PullThroughCacheRuleAlreadyExistsException')
    expect(await describeAll(['cache/'])).toHaveLength(1)
  })

  test('is listed in pages', async () => {
    for (const prefix of ['one', 'two', 'three']) await create({ ecrRepositoryPrefix: prefix })
    const first = await ecr.client.send(new DescribePullThroughCacheRulesCommand({ maxResults: 2 }))
    const { nextToken } = first
    const second = await ecr.client.send(new DescribePullThroughCacheRulesCommand({ maxResults: 2, nextToken }))
    const names = [first, second].flatMap(({ pullThroughCacheRules = [] }) => pullThroughCacheRules)
    expect(names.map(({ ecrRepositoryPrefix }) => ecrRepositoryPrefix)).toEqual(['one', 'three', 'two'])
    expect(second.nextToken).toBeUndefined()
  })

  test('changes its credentials alone, and goes', async () => {
    await create({ upstreamRegistryUrl: 'ghcr.io', credentialArn: await secret() })
    const other = await secret('other')
    const input = { ecrRepositoryPrefix: 'cache', credentialArn: other }
    expect(await ecr.client.send(new UpdatePullThroughCacheRuleCommand(input))).toMatchObject({ credentialArn: other })
    const gone = await ecr.client.send(new DeletePullThroughCacheRuleCommand({ ecrRepositoryPrefix: 'cache' }))
    expect(gone).toMatchObject({ upstreamRegistryUrl: 'ghcr.io', credentialArn: other })
    const missing = 'PullThroughCacheRuleNotFoundException'
    expect(await codeOf(describeAll(['cache']))).toBe(missing)
    expect(await codeOf(validate())).toBe(missing)
    expect(await codeOf(ecr.client.send(new UpdatePullThroughCacheRuleCommand(input)))).toBe(missing)
    const again = new DeletePullThroughCacheRuleCommand({ ecrRepositoryPrefix: 'cache' })
    expect(await codeOf(ecr.client.send(again))).toBe(missing)
  })

  test('is one of fifty', async () => {
    for (let n = 0; n < 50; n++) await create({ ecrRepositoryPrefix: `p${n}` })
    expect(await codeOf(create())).toBe('LimitExceededException')
    expect(await describeAll()).toHaveLength(50)
  })
})

describe('what is refused', () => {
  test.each([
    [{ ecrRepositoryPrefix: 'UPPER' }, 'InvalidParameterException'],
    [{ ecrRepositoryPrefix: 'x' }, 'InvalidParameterException'],
    [{ upstreamRegistryUrl: 'registry-1.docker.io' }, 'UnsupportedUpstreamRegistryException'],
    [{ upstreamRegistryUrl: 'me.azurecr.io' }, 'UnsupportedUpstreamRegistryException'],
    [{ upstreamRegistryUrl: 'cgr.dev' }, 'UnsupportedUpstreamRegistryException'],
    [{ upstreamRegistryUrl: 'ftp://host' }, 'UnsupportedUpstreamRegistryException'],
    [{ upstreamRegistryUrl: 'https://user:pass@host' }, 'UnsupportedUpstreamRegistryException'],
    [{ upstreamRegistryUrl: 'https://host/path' }, 'UnsupportedUpstreamRegistryException'],
    [{ upstreamRegistry: 'docker-hub' }, 'ValidationException'],
    [{ ecrRepositoryPrefix: 'ROOT', upstreamRepositoryPrefix: 'library' }, 'ValidationException'],
    [{ customRoleArn: ROLE }, 'ValidationException'],
    [
      { upstreamRegistryUrl: '210987654321.dkr.ecr.eu-west-1.amazonaws.com', customRoleArn: 'x' },
      'InvalidParameterException',
    ],
    [
      {
        upstreamRegistryUrl: '210987654321.dkr.ecr.eu-west-1.amazonaws.com',
        customRoleArn: 'arn:aws:iam::210987654321:role/theirs',
      },
      'ValidationException',
    ],
    [
      { credentialArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/x-abcdef' },
      'ValidationException',
    ],
    [
      { credentialArn: 'arn:aws:secretsmanager:eu-west-3:123456789012:secret:ecr-pullthroughcache/x-abcdef' },
      'SecretNotFoundException',
    ],
    [
      { credentialArn: 'arn:aws:secretsmanager:eu-west-3:123456789012:secret:another/name-abcdef' },
      'InvalidParameterException',
    ],
  ] as const)('%p', async (input, code) => {
    expect(await codeOf(create(input))).toBe(code)
    expect(await describeAll()).toEqual([])
  })

  test('a registry that ECR does not know, where ECR is to be followed', async () => {
    await ecr.close()
    ecr = await createEcr(undefined, { acceptsAnyUpstream: false })
    for (const upstreamRegistryUrl of ['registry.example.com', 'https://registry.example.com'])
      expect(await codeOf(create({ upstreamRegistryUrl }))).toBe('UnsupportedUpstreamRegistryException')
    await create()
  })

  test('who may not', async () => {
    const input = { ecrRepositoryPrefix: 'cache', upstreamRegistryUrl: 'quay.io', registryId: '123456789012' }
    expect(await codeOf(ecr.clientOf('999999999999').send(new CreatePullThroughCacheRuleCommand(input)))).toBe(
      'AccessDeniedException',
    )
  })
})

describe('an upstream with a login', () => {
  let upstream: UpstreamRegistry
  beforeEach(async () => {
    upstream = await UpstreamRegistry.start({ auth: 'bearer', username: 'me', password: 'secret' })
  })
  afterEach(() => upstream.stop())

  test('is tried out with what the secret says', async () => {
    await create({ upstreamRegistryUrl: upstream.url.origin, credentialArn: await secret() })
    expect(await validate()).toMatchObject({ isValid: true, ecrRepositoryPrefix: 'cache' })
    for (const [name, text] of [
      ['wrong', '{"username":"me","accessToken":"wrong"}'],
      ['form', '{"user":"me"}'],
    ] as const) {
      const credentialArn = await secret(name, text)
      await ecr.client.send(new UpdatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: 'cache', credentialArn }))
      const { isValid, failure } = await validate()
      expect([isValid, failure?.includes('secret:')]).toEqual([false, false])
    }
  })

  test('gives its images with all that belongs to them', async () => {
    const digest = upstream.addImage(IMAGE, 'app', '1')
    await create({ upstreamRegistryUrl: upstream.url.origin, credentialArn: await secret() })
    const repositoryName = 'cache/app'
    const { images } = await ecr.client.send(
      new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag: '1' }] }),
    )
    expect(images?.[0]?.imageId).toEqual({ imageDigest: digest, imageTag: '1' })
    for (const { digest: layerDigest } of [IMAGE.config, ...IMAGE.layers])
      await ecr.client.send(new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest }))
  })

  test('that is refused fails each image by itself, and a list of referrers', async () => {
    const digest = upstream.addImage(IMAGE, 'app', '1')
    const credentialArn = await secret()
    await create({ upstreamRegistryUrl: upstream.url.origin, credentialArn })
    const repositoryName = 'cache/app'
    const get = (imageTag: string) =>
      ecr.client.send(new BatchGetImageCommand({ repositoryName, imageIds: [{ imageTag }, { imageTag: '1' }] }))
    await get('1')
    await ecr
      .secretsOf('123456789012')
      .send(new DeleteSecretCommand({ SecretId: credentialArn, ForceDeleteWithoutRecovery: true }))
    upstream.fault = ({ path, headers }, response) => {
      if (path.startsWith('/token') || headers.authorization === undefined) return false
      response.writeHead(401, { 'www-authenticate': `Bearer realm="${upstream.url.origin}/token",service="up"` }).end()
      return true
    }
    ecr.clock.advance(10 * 60_000)
    const { images, failures } = await get('2')
    expect(images).toHaveLength(1)
    expect(failures).toMatchObject([{ imageId: { imageTag: '2' }, failureCode: 'UpstreamAccessDenied' }])
    const referrers = new ListImageReferrersCommand({ repositoryName, subjectId: { imageDigest: digest } })
    expect(await codeOf(ecr.client.send(referrers))).toBe('UnableToListUpstreamImageReferrersException')
    const other = new BatchGetImageCommand({ repositoryName: 'cache/none', imageIds: [{ imageTag: '1' }] })
    expect(await codeOf(ecr.client.send(other))).toBe('UnableToGetUpstreamImageException')
  })
})
