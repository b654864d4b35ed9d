import { describe, expect } from 'bun:test'
import type {
  BatchCheckLayerAvailabilityResponse,
  BatchGetImageResponse,
  DescribeImagesResponse,
  DescribeRepositoriesResponse,
  GetAccountSettingResponse,
  ListImageReferrersResponse,
  ListImagesResponse,
  ListPullTimeUpdateExclusionsResponse,
  UpdateImageStorageClassResponse,
} from '@aws-sdk/client-ecr'
import { awsCli } from '../support/clients/aws-cli.ts'
import { testWith } from '../support/clients/client-test.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex } from '../support/image-builder.ts'

const test = testWith('aws')
const PLATFORMS = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }))
const SCANNER = 'arn:aws:iam::000000000000:role/ci/scanner'

describe('the AWS CLI archives images', () => {
  const stage = useStage({
    repositories: ['arch/app', 'arch/multi', 'arch/refer', 'arch/mount', 'arch/scan'],
    env: { ECRU_ACTIVATION_TIME: '1s' },
  })
  const ecr = <Response>(operation: string, repository: string, ...args: string[]) =>
    awsCli(stage).json<Response>('ecr', operation, '--repository-name', repository, ...args)
  const update = (repository: string, imageId: string, to: string) =>
    ecr<UpdateImageStorageClassResponse>(
      ...(['update-image-storage-class', repository, '--image-id', imageId, '--target-storage-class', to] as const),
    )
  const describeImages = (repository: string, status: string) =>
    ecr<DescribeImagesResponse>('describe-images', repository, '--filter', `imageStatus=${status}`)
  const untilPulled = async (path: string) => {
    while ((await wire(stage, path)).status !== 200) await Bun.sleep(50)
  }

  test('an archived image is out of reach and out of sight, and comes back when it is restored', async () => {
    const image = buildImage('archive')
    await push(stage, 'arch/app', image, 'v1')
    const imageId = { imageDigest: image.manifest.digest, imageTag: 'v1' }
    expect<unknown>(await update('arch/app', 'imageTag=v1', 'ARCHIVE')).toEqual({
      registryId: '000000000000',
      repositoryName: 'arch/app',
      imageId,
      imageStatus: 'ARCHIVED',
    })
    expect((await wire(stage, 'arch/app/manifests/v1')).status).toBe(404)
    expect(await (await wire(stage, 'arch/app/tags/list')).json()).toEqual({ name: 'arch/app', tags: [] })
    const { failures } = await ecr<BatchGetImageResponse>('batch-get-image', 'arch/app', '--image-ids', 'imageTag=v1')
    expect(failures.map(({ failureCode }) => failureCode)).toEqual(['ImageInaccessible'])
    expect((await ecr<ListImagesResponse>('list-images', 'arch/app')).imageIds).toEqual([])
    const [detail] = (await describeImages('arch/app', 'ARCHIVED')).imageDetails
    expect(detail?.imageStatus).toBe('ARCHIVED')
    expect(Math.abs((detail?.lastArchivedAt ?? 0) * 1000 - Date.now())).toBeLessThan(60_000)
    const [layer] = image.layers
    const { layers } = await ecr<BatchCheckLayerAvailabilityResponse>(
      ...(['batch-check-layer-availability', 'arch/app', '--layer-digests', layer?.digest ?? ''] as const),
    )
    expect(layers[0]?.layerAvailability).toBe('ARCHIVED')
    expect((await update('arch/app', 'imageTag=v1', 'STANDARD')).imageStatus).toBe('ACTIVATING')
    await untilPulled('arch/app/manifests/v1')
    expect((await storedManifest(stage, 'arch/app', 'v1')).digest).toBe(image.manifest.digest)
    const [restored] = (await describeImages('arch/app', 'ACTIVE')).imageDetails
    expect(restored?.lastActivatedAt).toBeGreaterThan(restored?.lastArchivedAt ?? Number.POSITIVE_INFINITY)
  })

  test('an index goes with its children, which cannot go before it, and a push brings all of them back', async () => {
    const index = buildIndex(PLATFORMS.map((platform) => buildImage(`arch-${platform.architecture}`, { platform })))
    await push(stage, 'arch/multi', index, 'all')
    const child = index.images[0]?.manifest.digest ?? ''
    const refused = await awsCli(stage).failure(
      ...['ecr', 'update-image-storage-class', '--repository-name', 'arch/multi', '--image-id', `imageDigest=${child}`],
      ...['--target-storage-class', 'ARCHIVE'],
    )
    expect(refused).toContain(
      '(ImageStorageClassUpdateNotSupportedException) when calling the UpdateImageStorageClass operation: ',
    )
    expect(refused).toEndWith(`Requested image referenced by manifest list: [${index.manifest.digest}]`)
    await update('arch/multi', 'imageTag=all', 'ARCHIVE')
    expect((await describeImages('arch/multi', 'ARCHIVED')).imageDetails).toHaveLength(3)
    expect((await wire(stage, `arch/multi/manifests/${child}`)).status).toBe(404)
    await push(stage, 'arch/multi', index, 'all')
    expect((await describeImages('arch/multi', 'ACTIVE')).imageDetails).toHaveLength(3)
    expect((await wire(stage, `arch/multi/manifests/${child}`)).status).toBe(200)
  })

  test('list-image-referrers pages through what refers to an image, by type and status', async () => {
    const subject = buildImage('arch-subject')
    await push(stage, 'arch/refer', subject, 'v1')
    const { digest, mediaType, bytes } = subject.manifest
    const digests: string[] = []
    for (const artifactType of ['application/spdx+json', 'application/vnd.cncf.notary.signature']) {
      const referrer = {
        ...(JSON.parse(subject.manifest.bytes.toString()) as object),
        artifactType,
        subject: { mediaType, digest, size: bytes.length },
      }
      const init = { method: 'PUT', headers: { 'content-type': mediaType }, body: JSON.stringify(referrer) }
      const answer = await wire(stage, `arch/refer/manifests/${artifactType.length}`, init)
      expect(answer.headers.get('oci-subject')).toBe(digest)
      digests.push(answer.headers.get('docker-content-digest') ?? '')
    }
    const list = async (...args: string[]) =>
      ecr<ListImageReferrersResponse>(
        ...(['list-image-referrers', 'arch/refer', '--subject-id', `imageDigest=${digest}`, ...args] as const),
      )
    const { referrers } = await list()
    expect<unknown>(referrers.map((one) => one.digest)).toEqual(digests.toSorted())
    const page = await list('--max-results', '1')
    const rest = await list('--max-results', '1', '--next-token', page.nextToken)
    expect<unknown>([...page.referrers, ...rest.referrers]).toEqual(referrers)
    const sbom = await list('--filter', 'artifactTypes=application/spdx+json')
    expect<unknown>(sbom.referrers.map((one) => one.digest)).toEqual([digests[0]])
    await update('arch/refer', 'imageTag=v1', 'ARCHIVE')
    expect((await list()).referrers).toEqual([])
    expect((await list('--filter', 'artifactStatus=ARCHIVED')).referrers).toHaveLength(2)
  })

  test('settings of the account and of a repository are kept, and mounting acts at once', async () => {
    const setting = (...args: string[]) => awsCli(stage).json<GetAccountSettingResponse>('ecr', ...args)
    expect(await setting('get-account-setting', '--name', 'REGISTRY_POLICY_SCOPE')).toMatchObject({ value: 'V2' })
    expect(await setting('get-account-setting', '--name', 'BASIC_SCAN_TYPE_VERSION')).toMatchObject({
      value: 'AWS_NATIVE',
    })
    const image = buildImage('arch-mount')
    await push(stage, 'arch/scan', image, 'v1')
    const mount = async () =>
      (await wire(stage, `arch/mount/blobs/uploads/?mount=${image.config.digest}&from=arch/scan`, { method: 'POST' }))
        .status
    for (const [value, status] of [
      ['DISABLED', 202],
      ['ENABLED', 201],
    ] as const) {
      await setting('put-account-setting', '--name', 'BLOB_MOUNTING', '--value', value)
      expect(await setting('get-account-setting', '--name', 'BLOB_MOUNTING')).toMatchObject({ value })
      expect(await mount()).toBe(status)
    }
    const put = ['put-image-scanning-configuration', 'arch/scan', '--image-scanning-configuration'] as const
    await ecr(...put, 'scanOnPush=true')
    const { repositories } = await awsCli(stage).json<DescribeRepositoriesResponse>(
      ...['ecr', 'describe-repositories', '--repository-names', 'arch/scan'],
    )
    expect(repositories[0]?.imageScanningConfiguration).toEqual({ scanOnPush: true })
  })

  test('pull time update exclusions are registered, listed and deregistered', async () => {
    const exclusion = (operation: string) =>
      awsCli(stage).json<{ principalArn: string; createdAt: Date }>(
        ...['ecr', `${operation}-pull-time-update-exclusion`, '--principal-arn', SCANNER],
      )
    const list = () =>
      awsCli(stage).json<ListPullTimeUpdateExclusionsResponse>('ecr', 'list-pull-time-update-exclusions')
    expect(await exclusion('register')).toMatchObject({ principalArn: SCANNER })
    expect((await list()).pullTimeUpdateExclusions).toEqual([SCANNER])
    const again = await awsCli(stage).failure(
      ...['ecr', 'register-pull-time-update-exclusion', '--principal-arn', SCANNER],
    )
    expect(again).toContain('(ExclusionAlreadyExistsException) when calling')
    expect(await exclusion('deregister')).toMatchObject({ principalArn: SCANNER })
    expect((await list()).pullTimeUpdateExclusions).toEqual([])
  })
})
