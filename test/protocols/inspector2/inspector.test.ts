import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import inspectorModel from '../../../models/inspector2.json' with { type: 'json' }
import { createRestJson } from '../../../src/protocols/aws/rest-json.ts'
import type { Handler } from '../../../src/protocols/http/context.ts'
import { LargeBodies } from '../../../src/protocols/http/large-bodies.ts'
import { inspectorService } from '../../../src/protocols/inspector2/operations.ts'
import { INSPECTOR_PATHS } from '../../../src/protocols/inspector2/paths.ts'
import { osvRecord, RecordDirectory } from '../../support/advisory-data.ts'
import { createUser } from '../../support/iam-user.ts'
import { debian, pushFiles } from '../../support/scannable-images.ts'
import { admin, createServices, refTo, registry, type Services } from '../../support/service-fixture.ts'
import { awsSetting, requestContext } from '../aws/aws-setting.ts'
import { checkOutput } from '../aws/check-output.ts'
import { signed } from '../aws/sign.ts'

let services: Services
let directory: RecordDirectory
let handle: Handler
let reported: readonly unknown[]

beforeEach(async () => {
  directory = new RecordDirectory()
  services = await createServices()
  const setting = awsSetting()
  reported = setting.reported
  handle = createRestJson(
    [{ operations: INSPECTOR_PATHS, load: async () => inspectorService(services) }],
    setting,
    new LargeBodies(),
  ).handle
  const at = services.clock.now()
  const vector = (text: string) => ({ severity: [{ type: 'CVSS_V3', score: text }] })
  const high = vector('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H')
  const critical = vector('CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H')
  for (const record of [
    osvRecord('DEBIAN-CVE-2026-1', ['Debian:12', 'openssl', '4'], { upstream: ['CVE-2026-1'], ...critical }),
    osvRecord('DEBIAN-CVE-2026-2', ['Debian:12', 'zlib', '4'], { upstream: ['CVE-2026-2'], ...high }),
    osvRecord('DEBIAN-CVE-2026-3', ['Debian:12', 'bash', '9'], { upstream: ['CVE-2026-3'] }),
  ])
    directory.put({ ...record, modified: at.toISOString() })
  await services.advisories.import({ from: directory.path, at })
})
afterEach(async () => {
  await services.close()
  directory[Symbol.dispose]()
  expect(reported).toEqual([])
})

type Json = Readonly<Record<string, unknown>>

async function call(path: string, input: object = {}): Promise<{ readonly status: number; readonly body: Json }> {
  const url = `http://localhost:4566${path}`
  const headers = { 'content-type': 'application/json' }
  const request = await signed({ url, headers, body: JSON.stringify(input), service: 'inspector2' })
  const response = await handle(request, requestContext())
  const bytes = await response.bytes()
  if (response.status === 200) checkOutput(inspectorModel, `inspector2.${INSPECTOR_PATHS.get(path)}`, bytes)
  return { status: response.status, body: JSON.parse(new TextDecoder().decode(bytes)) as Json }
}

const listOf = (body: Json, member: string) => (body[member] ?? []) as readonly Json[]

async function findings(input: object = {}): Promise<readonly string[]> {
  const { body } = await call('/findings/list', input)
  return listOf(body, 'findings').map(({ title }) => String(title))
}

/** Two repositories, three images. */
async function scanAll(): Promise<void> {
  expect((await call('/enable', { resourceTypes: ['ECR'] })).body).toMatchObject({
    accounts: [{ accountId: '123456789012', status: 'ENABLED', resourceStatus: { ecr: 'ENABLED', ec2: 'DISABLED' } }],
  })
  for (const name of ['shop', 'web']) await services.repositories.create(admin, refTo(name))
  await pushFiles(services, refTo('shop'), [debian(['openssl', '3'], ['bash', '5'])], 'v1')
  await pushFiles(services, refTo('shop'), [debian(['zlib1g', '1', 'zlib'])], 'v2')
  await pushFiles(services, refTo('web'), [debian(['openssl', '3'])], 'v1')
  await services.scanJobs.scanNow()
}

test('the paths are those of the model', () => {
  const paths = Object.values(inspectorModel.operations).map(({ http, name }) => [http.requestUri, name])
  expect([...INSPECTOR_PATHS].toSorted()).toEqual(paths.toSorted() as [string, string][])
})

describe('the account', () => {
  test('has Inspector for ECR exactly while the registry is scanned by enhanced scanning', async () => {
    const state = async () => listOf((await call('/status/batch/get')).body, 'accounts')[0]
    expect(await state()).toMatchObject({ resourceState: { ecr: { status: 'DISABLED' } } })
    await call('/enable', { resourceTypes: ['ECR'] })
    expect(await state()).toMatchObject({ state: { status: 'ENABLED' }, resourceState: { ecr: { status: 'ENABLED' } } })
    expect(await services.scanConfigurations.get(admin, registry)).toEqual({
      type: 'ENHANCED',
      rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }],
    })
    await call('/disable', { resourceTypes: ['ECR'] })
    expect((await services.scanConfigurations.get(admin, registry)).type).toBe('BASIC')
    expect(await call('/enable', { resourceTypes: ['EC2'] })).toMatchObject({ status: 400 })
    const { body } = await call('/status/batch/get', { accountIds: ['999999999999'] })
    expect(body).toMatchObject({ accounts: [], failedAccounts: [{ errorCode: 'ACCESS_DENIED' }] })
  })
})

describe('ListFindings', () => {
  test('shows those of all images, by filters', async () => {
    await scanAll()
    expect((await findings()).toSorted()).toEqual([
      'CVE-2026-1 - openssl',
      'CVE-2026-1 - openssl',
      'CVE-2026-2 - zlib1g',
      'CVE-2026-3 - bash',
    ])
    const equals = (value: string) => [{ comparison: 'EQUALS', value }]
    const by = (filterCriteria: object) => findings({ filterCriteria })
    expect(await by({ severity: equals('HIGH') })).toEqual(['CVE-2026-2 - zlib1g'])
    expect(await by({ ecrImageRepositoryName: equals('web') })).toEqual(['CVE-2026-1 - openssl'])
    expect(await by({ ecrImageTags: equals('v2') })).toEqual(['CVE-2026-2 - zlib1g'])
    expect(await by({ vulnerabilityId: [{ comparison: 'NOT_EQUALS', value: 'CVE-2026-1' }] })).toHaveLength(2)
    expect(await by({ title: [{ comparison: 'PREFIX', value: 'CVE-2026-3' }], severity: equals('UNTRIAGED') })).toEqual(
      ['CVE-2026-3 - bash'],
    )
    expect(await by({ inspectorScore: [{ lowerInclusive: 9 }] })).toHaveLength(2)
    expect(await by({ vulnerablePackages: [{ name: { comparison: 'EQUALS', value: 'bash' } }] })).toHaveLength(1)
    expect(await by({ ec2InstanceVpcId: equals('vpc-1') })).toEqual([])
    const { body } = await call('/findings/list', { filterCriteria: { ecrImageRepositoryName: equals('web') } })
    expect(listOf(body, 'findings')[0]).toMatchObject({
      severity: 'CRITICAL',
      inspectorScore: 9.8,
      resources: [{ details: { awsEcrContainerImage: { repositoryName: 'web', imageTags: ['v1'] } } }],
    })
  })

  test.each([
    [undefined],
    [{ field: 'SEVERITY', sortOrder: 'DESC' }],
    [{ field: 'VULNERABILITY_ID', sortOrder: 'ASC' }],
    [{ field: 'INSPECTOR_SCORE', sortOrder: 'DESC' }],
  ])('in pages, sorted by %p', async (sortCriteria) => {
    await scanAll()
    const all = await findings({ sortCriteria })
    const turned: string[] = []
    let nextToken: unknown
    do {
      const { body } = await call('/findings/list', { sortCriteria, maxResults: 1, nextToken })
      turned.push(...listOf(body, 'findings').map(({ title }) => String(title)))
      nextToken = body.nextToken
    } while (nextToken !== undefined)
    expect(turned).toEqual([...all])
    expect(all).toHaveLength(4)
    if (sortCriteria !== undefined) expect(all[0]).toContain('CVE-2026-1')
  })

  test('refuses tokens of no answer', async () => {
    await scanAll()
    for (const key of ['1:x', '1:["a"]', '1:[1e999,1,1]', 'x']) {
      const nextToken = Buffer.from(key).toString('base64url')
      for (const path of ['/findings/list', '/coverage/list']) {
        const { status, body } = await call(path, { nextToken })
        expect([status, body.__type]).toEqual([400, 'ValidationException'])
      }
    }
  })

  test('shows nothing while the registry is scanned by basic scans', async () => {
    await scanAll()
    await call('/disable')
    expect(await findings()).toEqual([])
  })

  test('calls findings closed of images that are not scanned any more, and suppressed what a rule sets aside', async () => {
    await scanAll()
    const now = services.clock.now()
    const rule = { id: 'a', vulnerability: 'CVE-2026-3', reason: 'not reachable', createdBy: 'me', createdAt: now }
    await services.metadata.transact((tx) => tx.suppressions.put(registry, rule))
    await services.scanConfigurations.put(admin, registry, {
      type: 'ENHANCED',
      rules: [{ frequency: 'CONTINUOUS_SCAN', filters: ['shop'] }],
    })
    const by = (value: string) => findings({ filterCriteria: { findingStatus: [{ comparison: 'EQUALS', value }] } })
    expect(await by('CLOSED')).toEqual(['CVE-2026-1 - openssl'])
    expect(await by('SUPPRESSED')).toEqual(['CVE-2026-3 - bash'])
    expect(await by('ACTIVE')).toHaveLength(2)
  })
})

test('ListFindingAggregations counts by repository, image, package, title and account', async () => {
  await scanAll()
  const aggregate = async (aggregationType: string, more: object = {}) =>
    listOf((await call('/findings/aggregation/list', { aggregationType, ...more })).body, 'responses')
  expect(await aggregate('REPOSITORY')).toMatchObject([
    {
      repositoryAggregation: {
        repository: 'shop',
        affectedImages: 2,
        severityCounts: { all: 3, critical: 1, high: 1 },
      },
    },
    { repositoryAggregation: { repository: 'web', affectedImages: 1, severityCounts: { all: 1, critical: 1 } } },
  ])
  expect(await aggregate('ACCOUNT')).toMatchObject([
    {
      accountAggregation: { accountId: '123456789012', severityCounts: { all: 4, critical: 2 }, fixAvailableCount: 4 },
    },
  ])
  expect(await aggregate('PACKAGE')).toHaveLength(3)
  expect(await aggregate('AWS_ECR_CONTAINER')).toHaveLength(3)
  expect(await aggregate('IMAGE_LAYER')).toHaveLength(3)
  expect(await aggregate('AMI')).toEqual([])
  const aggregationRequest = {
    titleAggregation: { vulnerabilityIds: [{ comparison: 'EQUALS', value: 'CVE-2026-1' }], sortBy: 'ALL' },
  }
  expect(await aggregate('TITLE', { aggregationRequest })).toMatchObject([
    { titleAggregation: { title: 'CVE-2026-1 - openssl', severityCounts: { all: 2 } } },
  ])
})

test('an image is for one architecture, that of its configuration, whatever its packages are for', async () => {
  await call('/enable', { resourceTypes: ['ECR'] })
  await services.repositories.create(admin, refTo('shop'))
  const status = String(debian(['openssl', '3'], ['bash', '5'], ['zlib1g', '1', 'zlib'])['var/lib/dpkg/status'])
  const mixed = status
    .replace('Architecture: amd64', 'Architecture: all')
    .replace('Architecture: amd64', 'Architecture: i386')
  await pushFiles(services, refTo('shop'), [{ ...debian(), 'var/lib/dpkg/status': mixed }], 'v1')
  await services.scanJobs.scanNow()
  const { body } = await call('/findings/list')
  const architectures = listOf(body, 'findings').flatMap((finding) =>
    listOf(finding, 'resources').map(({ details }) => (details as { awsEcrContainerImage: Json }).awsEcrContainerImage),
  )
  expect(architectures.map(({ architecture }) => architecture)).toEqual(['amd64', 'amd64', 'amd64'])
  const sums = await call('/findings/aggregation/list', { aggregationType: 'AWS_ECR_CONTAINER' })
  expect(listOf(sums.body, 'responses')).toMatchObject([
    { awsEcrContainerAggregation: { architecture: 'amd64', severityCounts: { all: 3 } } },
  ])
  const equals = (value: string) => ({ ecrImageArchitecture: [{ comparison: 'EQUALS', value }] })
  expect(await findings({ filterCriteria: equals('amd64') })).toHaveLength(3)
  expect(await findings({ filterCriteria: equals('arm64') })).toEqual([])
})

test('ListCoverage says which images are scanned, and which cannot be judged', async () => {
  await scanAll()
  await pushFiles(services, refTo('web'), [
    debian(['bash', '5']),
    { 'app/node_modules/a/package.json': '{"name":"a","version":"1.0.0"}' },
  ])
  await services.scanJobs.scanNow()
  const { body } = await call('/coverage/list', { maxResults: 3 })
  expect(listOf(body, 'coveredResources')).toHaveLength(3)
  const rest = await call('/coverage/list', { nextToken: body.nextToken })
  expect(listOf(rest.body, 'coveredResources')).toMatchObject([
    {
      resourceType: 'AWS_ECR_CONTAINER_IMAGE',
      scanStatus: { statusCode: 'INACTIVE', reason: 'STALE_INVENTORY' },
      resourceMetadata: { ecrRepository: { name: 'web', scanFrequency: 'CONTINUOUS_SCAN' } },
    },
  ])
  expect((await call('/coverage/statistics/list', { groupBy: 'ECR_REPOSITORY_NAME' })).body).toMatchObject({
    totalCounts: 4,
    countsByGroup: [{ count: 2 }, { count: 2 }],
  })
})

test('each operation needs its permission', async () => {
  await services.close()
  services = await createServices({ access: {} })
  const user = await createUser(services.metadata, registry.registryId, 'ci')
  const service = inspectorService(services)
  const ask = async (name: string, input: object) => {
    const operation = service.operations.get(name)
    if (operation === undefined || operation === 'unsupported') throw new Error(`There is no operation ${name}`)
    const { region } = registry
    return operation(input, { principal: user.principal, region, requestId: '', origin: 'http://localhost' })
  }
  for (const [name, input] of [
    ['BatchGetAccountStatus', {}],
    ['Disable', {}],
    ['Enable', { resourceTypes: ['ECR'] }],
    ['ListCoverage', {}],
    ['ListCoverageStatistics', {}],
    ['ListFindingAggregations', { aggregationType: 'ACCOUNT' }],
    ['ListFindings', {}],
  ] as const) {
    await user.may()
    await expect(ask(name, input)).rejects.toThrow(`not authorized to perform: inspector2:${name}`)
    await user.may({ Effect: 'Allow', Action: `inspector2:${name}`, Resource: '*' })
    await ask(name, input)
  }
})
