import { afterEach, beforeEach, expect, test } from 'bun:test'
import { detachedContext } from '../../../src/protocols/http/context.ts'
import { createLogos } from '../../../src/protocols/oci/logos.ts'
import { png } from '../../support/png.ts'
import { type Answer, createEcrPublic, type EcrPublicFixture, ORIGIN, STRANGER } from './public-fixture.ts'

let ecr: EcrPublicFixture

beforeEach(async () => {
  ecr = await createEcrPublic()
})

afterEach(async () => {
  expect(ecr.reported).toEqual([])
  await ecr.close()
})

const app = { repositoryName: 'team/app' }
const arn = 'arn:aws:ecr-public::123456789012:repository/team/app'

/** The alias in the address of the repository that an answer shows. */
function aliasIn(answer: Answer): string {
  const { repositoryUri } = answer.repository as { readonly repositoryUri: string }
  const [, alias = ''] = repositoryUri.split('/')
  return alias
}

test('the first repository brings a random alias, which stays', async () => {
  expect(await ecr.call('DescribeRegistries')).toEqual({
    registries: [
      {
        registryId: '123456789012',
        registryArn: 'arn:aws:ecr-public::123456789012:registry/123456789012',
        registryUri: '',
        verified: false,
        aliases: [],
      },
    ],
  })
  const made = await ecr.call('CreateRepository', app)
  const alias = aliasIn(made)
  expect(alias).toMatch(/^[a-z][a-z0-9]{7}$/)
  expect(made).toEqual({
    repository: {
      repositoryArn: arn,
      registryId: '123456789012',
      repositoryName: 'team/app',
      repositoryUri: `public.ecr.aws/${alias}/team/app`,
      createdAt: ecr.clock.now().getTime() / 1000,
    },
    catalogData: { marketplaceCertified: false },
  })
  expect(aliasIn(await ecr.call('CreateRepository', { repositoryName: 'other' }))).toBe(alias)
  expect(aliasIn(await ecr.call('CreateRepository', app, { account: STRANGER }))).not.toBe(alias)
  await ecr.call('DeleteRepository', app)
  await ecr.call('DeleteRepository', { repositoryName: 'other' })
  expect(await ecr.call('DescribeRegistries')).toMatchObject({
    registries: [
      {
        registryUri: `public.ecr.aws/${alias}`,
        aliases: [{ name: alias, status: 'ACTIVE', primaryRegistryAlias: true, defaultRegistryAlias: true }],
      },
    ],
  })
})

test('public and private repositories of one name know nothing of each other', async () => {
  await ecr.call('CreateRepository', app)
  expect(await ecr.call('CreateRepository', app)).toMatchObject({ __type: 'RepositoryAlreadyExistsException' })
  const privately = { service: 'ecr' } as const
  expect(await ecr.call('DescribeRepositories', {}, privately)).toEqual({ repositories: [] })
  expect(await ecr.call('DescribeRepositories', {}, { ...privately, region: 'PUBLIC' })).toMatchObject({
    __type: 'InvalidSignatureException',
  })
  await ecr.call('CreateRepository', app, privately)
  await ecr.call('DeleteRepository', app)
  expect(await ecr.call('DescribeRepositories', app, privately)).toMatchObject({ repositories: [app] })
})

test('repositories are described by name and in pages', async () => {
  for (const repositoryName of ['aa', 'bb', 'cc']) await ecr.call('CreateRepository', { repositoryName })
  const { repositories, nextToken } = await ecr.call('DescribeRepositories', { maxResults: 2 })
  expect(repositories).toMatchObject([{ repositoryName: 'aa' }, { repositoryName: 'bb' }])
  expect(await ecr.call('DescribeRepositories', { nextToken })).toMatchObject({
    repositories: [{ repositoryName: 'cc' }],
  })
  expect(await ecr.call('DescribeRepositories', { repositoryNames: ['bb'] })).toMatchObject({
    repositories: [{ repositoryName: 'bb' }],
  })
  expect(await ecr.call('DescribeRepositories', { repositoryNames: ['dd'] })).toMatchObject({
    __type: 'RepositoryNotFoundException',
    message: "The repository with name 'dd' does not exist in the registry with id '123456789012'",
  })
})

test.each(['a', 'a__b', 'a--b', 'A', 'x'.repeat(206)])(
  '%p is no name of a public repository',
  async (repositoryName) => {
    expect(await ecr.call('CreateRepository', { repositoryName })).toMatchObject({
      __type: 'InvalidParameterException',
    })
  },
)

test('elsewhere than in us-east-1 every operation is refused', async () => {
  for (const [operation, input] of [
    ['DescribeRegistries', {}],
    ['CreateRepository', app],
  ] as const)
    expect(await ecr.call(operation, input, { region: 'eu-west-3' })).toMatchObject({
      __type: 'UnsupportedCommandException',
    })
})

test('catalog data replaces what was there, and its logo is served to everybody', async () => {
  const catalogData = {
    description: 'An app',
    architectures: ['ARM 64', 'x86-64'],
    operatingSystems: ['Linux'],
    aboutText: '# About',
    usageText: 'docker run',
  }
  const logoImageBlob = png(60, 2048)
  const made = await ecr.call('CreateRepository', { ...app, catalogData: { ...catalogData, logoImageBlob } })
  const { logoUrl } = made.catalogData as { readonly logoUrl: string }
  expect(made.catalogData).toEqual({ ...catalogData, logoUrl, marketplaceCertified: false })
  expect(await ecr.call('GetRepositoryCatalogData', app)).toEqual({ catalogData: made.catalogData })

  const logos = createLogos(ecr.publicRegistries)
  const look = (method = 'GET') => logos(new Request(logoUrl, { method }), detachedContext())
  expect(logoUrl).toStartWith(`${ORIGIN}/_ecru/logos/`)
  const served = await look()
  expect([served.status, served.headers.get('content-type')]).toEqual([200, 'image/png'])
  expect(Buffer.from(await served.bytes()).toString('base64')).toBe(logoImageBlob)
  expect((await look('HEAD')).status).toBe(200)
  expect((await look('POST')).status).toBe(405)

  const put = await ecr.call('PutRepositoryCatalogData', { ...app, catalogData: { description: 'Less' } })
  expect(put).toEqual({ catalogData: { description: 'Less', marketplaceCertified: false } })
  expect((await look()).status).toBe(404)
})

test.each([
  ['no PNG', Buffer.from('GIF89a'.repeat(8)).toString('base64')],
  ['too narrow', png(59, 60)],
  ['too high', png(60, 2049)],
])('a logo that is %s is refused, and nothing is made', async (_, logoImageBlob) => {
  const refused = await ecr.call('CreateRepository', { ...app, catalogData: { logoImageBlob } })
  expect(refused).toMatchObject({ __type: 'InvalidParameterException' })
  expect(await ecr.call('DescribeRepositories')).toEqual({ repositories: [] })
})

test('catalog data goes with its repository', async () => {
  await ecr.call('CreateRepository', { ...app, catalogData: { description: 'First' } })
  await ecr.call('DeleteRepository', app)
  await ecr.call('CreateRepository', app)
  expect(await ecr.call('GetRepositoryCatalogData', app)).toEqual({ catalogData: { marketplaceCertified: false } })
  while ((await ecr.metadata.transact((tx) => tx.repositories.purgeDeleted(10))) > 0);
  expect(await ecr.call('DescribeRepositories')).toMatchObject({ repositories: [app] })
})

test('the registry has a display name once it was put', async () => {
  expect(await ecr.call('GetRegistryCatalogData')).toEqual({ registryCatalogData: {} })
  const named = { registryCatalogData: { displayName: 'Somebody' } }
  expect(await ecr.call('PutRegistryCatalogData', { displayName: 'Somebody' })).toEqual(named)
  expect(await ecr.call('PutRegistryCatalogData')).toEqual(named)
  expect(await ecr.call('GetRegistryCatalogData')).toEqual(named)
  expect(await ecr.call('GetRegistryCatalogData', {}, { account: STRANGER })).toEqual({ registryCatalogData: {} })
})

test('resource tags are ECR’s, under ECR Public’s ARNs', async () => {
  await ecr.call('CreateRepository', { ...app, tags: [{ Key: 'a', Value: '1' }] })
  await ecr.call('TagResource', { resourceArn: arn, tags: [{ Key: 'b', Value: '2' }] })
  await ecr.call('UntagResource', { resourceArn: arn, tagKeys: ['a'] })
  expect(await ecr.call('ListTagsForResource', { resourceArn: arn })).toEqual({ tags: [{ Key: 'b', Value: '2' }] })
  const many = Array.from({ length: 50 }, (_, n) => ({ Key: `k${n}`, Value: '' }))
  expect(await ecr.call('TagResource', { resourceArn: arn, tags: many })).toMatchObject({
    __type: 'TooManyTagsException',
  })
  const resourceArn = 'arn:aws:ecr:us-east-1:123456789012:repository/team/app'
  expect(await ecr.call('ListTagsForResource', { resourceArn })).toMatchObject({ __type: 'InvalidParameterException' })
})
