import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  BatchGetRepositoryScanningConfigurationCommand,
  CreateRepositoryCommand,
  DescribeImageScanFindingsCommand,
  DescribeImagesCommand,
  GetRegistryScanningConfigurationCommand,
  type ImageIdentifier,
  PutImageScanningConfigurationCommand,
  PutRegistryScanningConfigurationCommand,
  paginateDescribeImageScanFindings,
  type RegistryScanningRule,
  StartImageScanCommand,
  waitUntilImageScanComplete,
} from '@aws-sdk/client-ecr'
import type { Digest } from '../../../src/domain/digest.ts'
import { AWS_QUOTAS } from '../../../src/domain/quotas.ts'
import { osvRecord, RecordDirectory } from '../../support/advisory-data.ts'
import { debian, pushFiles } from '../../support/scannable-images.ts'
import { pushImage, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const repositoryName = 'app'
const VECTOR = 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H'
let ecr: EcrFixture
let directory: RecordDirectory

beforeEach(async () => {
  directory = new RecordDirectory()
  ecr = await createEcr()
  await ecr.client.send(
    new CreateRepositoryCommand({ repositoryName, imageScanningConfiguration: { scanOnPush: true } }),
  )
})
afterEach(async () => {
  await ecr.close()
  directory[Symbol.dispose]()
  expect(ecr.reported).toEqual([])
})

async function importFlaws(): Promise<void> {
  const modified = ecr.clock.now().toISOString()
  const libxml2 = osvRecord('DEBIAN-CVE-2026-1', ['Debian:12', 'libxml2', '1:2.9.14+dfsg-2'], {
    upstream: ['CVE-2026-1'],
    details: 'Flaw 1 of libxml2.',
    severity: [{ type: 'CVSS_V3', score: VECTOR }],
  })
  directory.put({ ...libxml2, modified })
  directory.put({
    ...osvRecord('GHSA-aaaa-bbbb-cccc', ['npm', 'lodash', '4.17.21'], { aliases: ['CVE-2026-3'] }),
    modified,
  })
  await ecr.advisories.import({ from: directory.path, at: ecr.clock.now() })
}

const pushVulnerable = (...tags: readonly string[]): Promise<Digest> =>
  pushFiles(
    ecr,
    refTo(repositoryName),
    [
      debian(['libxml2', '1:2.9.14+dfsg-1.3~deb12u1']),
      { 'app/node_modules/lodash/package.json': '{"name":"lodash","version":"4.17.20"}' },
    ],
    ...tags,
  )

const findings = (imageId: ImageIdentifier, more: object = {}) =>
  ecr.client.send(new DescribeImageScanFindingsCommand({ repositoryName, imageId, ...more }))
const refusal = (imageId: ImageIdentifier, name = repositoryName) =>
  refusalOf(ecr.client.send(new DescribeImageScanFindingsCommand({ repositoryName: name, imageId })))
const put = (scanType: 'BASIC' | 'ENHANCED', ...rules: readonly RegistryScanningRule[]) =>
  ecr.client.send(new PutRegistryScanningConfigurationCommand({ scanType, rules: [...rules] }))
const rule = (scanFrequency: RegistryScanningRule['scanFrequency'], ...filters: readonly string[]) => ({
  scanFrequency,
  repositoryFilters: filters.map((filter) => ({ filter, filterType: 'WILDCARD' as const })),
})

describe('DescribeImageScanFindings', () => {
  test('what was not scanned is not called clean', async () => {
    await ecr.client.send(new PutImageScanningConfigurationCommand({ repositoryName, imageScanningConfiguration: {} }))
    const digest = await pushImage(ecr, refTo(repositoryName), 'image', 'v1')
    expect(await refusal({ imageDigest: digest })).toEqual([
      'ScanNotFoundException',
      `Image scan does not exist for the image with '{imageDigest:'${digest}', imageTag:'null'}' in the repository with name 'app' in the registry with id '123456789012'`,
    ])
    expect((await refusal({ imageTag: 'v1' }))[0]).toBe('ScanNotFoundException')
    expect((await refusal({ imageTag: 'v2' }))[0]).toBe('ImageNotFoundException')
    expect((await refusal({ imageTag: 'v1' }, 'none'))[0]).toBe('RepositoryNotFoundException')
  })

  test('of a basic scan, as ECR shows it', async () => {
    await importFlaws()
    const digest = await pushVulnerable('v1')
    expect(await findings({ imageTag: 'v1' })).toMatchObject({ imageScanStatus: { status: 'IN_PROGRESS' } })
    await ecr.scanJobs.scanNow()
    const answer = await findings({ imageTag: 'v1' })
    expect(answer).toMatchObject({
      registryId: '123456789012',
      repositoryName,
      imageId: { imageDigest: digest, imageTag: 'v1' },
      imageScanStatus: { status: 'COMPLETE', description: 'The scan was completed successfully.' },
    })
    expect(answer.imageScanFindings).toEqual({
      imageScanCompletedAt: ecr.clock.now(),
      vulnerabilitySourceUpdatedAt: ecr.clock.now(),
      findingSeverityCounts: { CRITICAL: 1 },
      findings: [
        {
          name: 'CVE-2026-1',
          description: 'Flaw 1 of libxml2.',
          uri: 'https://security-tracker.debian.org/tracker/CVE-2026-1',
          severity: 'CRITICAL',
          attributes: [
            { key: 'package_version', value: '1:2.9.14+dfsg-1.3~deb12u1' },
            { key: 'package_name', value: 'libxml2' },
            { key: 'CVSS3_VECTOR', value: VECTOR },
            { key: 'CVSS3_SCORE', value: '9.8' },
          ],
        },
      ],
    })
    const { imageDetails } = await ecr.client.send(new DescribeImagesCommand({ repositoryName }))
    // ECR fills these for Clair's scans only.
    expect(imageDetails?.[0]?.imageScanStatus).toBeUndefined()
    expect(imageDetails?.[0]?.imageScanFindingsSummary).toBeUndefined()
  })

  test('of an enhanced scan, as ECR shows it', async () => {
    await importFlaws()
    await put('ENHANCED', rule('CONTINUOUS_SCAN', '*'))
    const digest = await pushVulnerable('v1')
    expect(await findings({ imageTag: 'v1' })).toMatchObject({ imageScanStatus: { status: 'PENDING' } })
    await ecr.scanJobs.scanNow()
    const answer = await findings({ imageDigest: digest })
    expect(answer.imageScanStatus).toEqual({ status: 'ACTIVE', description: 'Continuous scan is selected for image.' })
    expect(answer.imageScanFindings?.findings).toBeUndefined()
    const [first, second] = answer.imageScanFindings?.enhancedFindings ?? []
    expect(first).toMatchObject({
      awsAccountId: '123456789012',
      findingArn: expect.stringMatching(/^arn:aws:inspector2:eu-west-3:123456789012:finding\/[0-9a-f]{32}$/),
      title: 'CVE-2026-1 - libxml2',
      severity: 'CRITICAL',
      status: 'ACTIVE',
      type: 'PACKAGE_VULNERABILITY',
      score: 9.8,
      scoreDetails: { cvss: { score: 9.8, scoringVector: VECTOR, version: '3.1', adjustments: [] } },
      fixAvailable: 'YES',
      exploitAvailable: 'NO',
      packageVulnerabilityDetails: {
        source: 'DEBIAN_CVE',
        vulnerabilityId: 'CVE-2026-1',
        vulnerablePackages: [
          {
            name: 'libxml2',
            arch: 'AMD64',
            epoch: 1,
            version: '2.9.14+dfsg',
            release: '1.3~deb12u1',
            packageManager: 'OS',
            fixedInVersion: '1:2.9.14+dfsg-2',
          },
        ],
      },
      resources: [
        {
          type: 'AWS_ECR_CONTAINER_IMAGE',
          details: {
            awsEcrContainerImage: { imageHash: digest, imageTags: ['v1'], platform: 'DEBIAN_12', repositoryName },
          },
        },
      ],
    })
    expect(second).toMatchObject({
      title: 'CVE-2026-3 - lodash',
      severity: 'UNTRIAGED',
      packageVulnerabilityDetails: {
        vulnerablePackages: [{ packageManager: 'NODEPKG', filePath: 'app/node_modules/lodash/package.json' }],
      },
    })
  })

  test('in pages, by the SDK’s own paginator and waiter', async () => {
    await importFlaws()
    await put('ENHANCED', rule('SCAN_ON_PUSH', 'a*'))
    await pushVulnerable('v1')
    await ecr.scanJobs.scanNow()
    const input = { repositoryName, imageId: { imageTag: 'v1' } }
    const seen: (string | undefined)[] = []
    for await (const page of paginateDescribeImageScanFindings({ client: ecr.client, pageSize: 1 }, input))
      seen.push(...(page.imageScanFindings?.enhancedFindings?.map(({ title }) => title) ?? []))
    expect(seen).toEqual(['CVE-2026-1 - libxml2', 'CVE-2026-3 - lodash'])
    const { state } = await waitUntilImageScanComplete({ client: ecr.client, maxWaitTime: 6 }, input)
    expect(String(state)).toBe('SUCCESS')
  })
})

describe('StartImageScan', () => {
  const start = (imageId: ImageIdentifier) => ecr.client.send(new StartImageScanCommand({ repositoryName, imageId }))

  test('once for an image and day', async () => {
    await importFlaws()
    const digest = await pushVulnerable('v1')
    await ecr.scanJobs.scanNow()
    expect(await refusalOf(start({ imageTag: 'v1' }))).toEqual([
      'LimitExceededException',
      'The scan quota per image has been exceeded. Wait and try again.',
    ])
    ecr.clock.advance(24 * 3_600_000)
    expect(await start({ imageTag: 'v1' })).toMatchObject({
      imageId: { imageDigest: digest, imageTag: 'v1' },
      imageScanStatus: { status: 'IN_PROGRESS' },
    })
    expect((await refusalOf(start({ imageTag: 'none' })))[0]).toBe('ImageNotFoundException')
  })

  test('is disabled under enhanced scanning', async () => {
    await pushVulnerable('v1')
    await put('ENHANCED')
    expect(await refusalOf(start({ imageTag: 'v1' }))).toEqual(['ValidationException', 'This feature is disabled'])
  })
})

test('beyond the quota of the registry a push is told so by its scan', async () => {
  await ecr.close()
  ecr = await createEcr(undefined, { quotas: { ...AWS_QUOTAS, basicScansPerDay: 1 } })
  await ecr.client.send(
    new CreateRepositoryCommand({ repositoryName, imageScanningConfiguration: { scanOnPush: true } }),
  )
  await importFlaws()
  await pushVulnerable('v1')
  await pushFiles(ecr, refTo(repositoryName), [debian(['bash', '5.2'])], 'v2')
  await ecr.scanJobs.scanNow()
  expect(await findings({ imageTag: 'v1' })).toMatchObject({ imageScanStatus: { status: 'COMPLETE' } })
  expect(await findings({ imageTag: 'v2' })).toMatchObject({ imageScanStatus: { status: 'LIMIT_EXCEEDED' } })
})

describe('configurations', () => {
  const ofRepositories = (...repositoryNames: readonly string[]) =>
    ecr.client.send(new BatchGetRepositoryScanningConfigurationCommand({ repositoryNames: [...repositoryNames] }))

  test('of the registry are basic and without rules until they are put', async () => {
    const get = () => ecr.client.send(new GetRegistryScanningConfigurationCommand({}))
    expect(await get()).toMatchObject({
      registryId: '123456789012',
      scanningConfiguration: { scanType: 'BASIC', rules: [] },
    })
    const rules = [rule('SCAN_ON_PUSH', 'a*'), rule('CONTINUOUS_SCAN', 'b')]
    expect(await put('ENHANCED', ...rules)).toMatchObject({
      registryScanningConfiguration: { scanType: 'ENHANCED', rules },
    })
    expect(await get()).toMatchObject({ scanningConfiguration: { scanType: 'ENHANCED', rules } })
    await put('BASIC')
    expect(await get()).toMatchObject({ scanningConfiguration: { scanType: 'BASIC', rules: [] } })
  })

  test('that could not act are refused', async () => {
    for (const answer of [
      put('BASIC', rule('CONTINUOUS_SCAN', '*')),
      put('ENHANCED', rule('MANUAL', '*')),
      put('ENHANCED', rule('SCAN_ON_PUSH', 'a'), rule('SCAN_ON_PUSH', 'b')),
      put('BASIC', rule('SCAN_ON_PUSH', 'A')),
    ])
      expect((await refusalOf(answer))[0]).toBe('InvalidParameterException')
  })

  test('of repositories follow the rules, of which the most frequent scans win', async () => {
    await ecr.client.send(new CreateRepositoryCommand({ repositoryName: 'web/shop' }))
    await ecr.client.send(new PutImageScanningConfigurationCommand({ repositoryName, imageScanningConfiguration: {} }))
    expect(await ofRepositories('web/shop', 'none')).toMatchObject({
      scanningConfigurations: [
        { repositoryName: 'web/shop', scanOnPush: false, scanFrequency: 'MANUAL', appliedScanFilters: [] },
      ],
      failures: [
        { repositoryName: 'none', failureCode: 'REPOSITORY_NOT_FOUND', failureReason: 'REPOSITORY_NOT_FOUND' },
      ],
    })
    await put('ENHANCED', rule('SCAN_ON_PUSH', '*'), rule('CONTINUOUS_SCAN', 'shop', 'other', 'web/*'))
    const { scanningConfigurations } = await ofRepositories('web/shop', 'app')
    expect(scanningConfigurations).toMatchObject([
      {
        repositoryArn: 'arn:aws:ecr:eu-west-3:123456789012:repository/web/shop',
        scanFrequency: 'CONTINUOUS_SCAN',
        scanOnPush: true,
        appliedScanFilters: [
          { filter: 'shop', filterType: 'WILDCARD' },
          { filter: 'web/*', filterType: 'WILDCARD' },
        ],
      },
      { scanFrequency: 'SCAN_ON_PUSH', appliedScanFilters: [{ filter: '*' }] },
    ])
  })

  test('of a repository alone: its own flag', async () => {
    expect(await ofRepositories('app')).toMatchObject({
      scanningConfigurations: [{ scanOnPush: true, scanFrequency: 'SCAN_ON_PUSH', appliedScanFilters: [] }],
    })
  })
})
