import { describe, expect } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import type {
  BatchGetImageResponse,
  CreateRepositoryResponse,
  DescribeImageReplicationStatusResponse,
  DescribeImageSigningStatusResponse,
  GetDownloadUrlForLayerResponse,
  InitiateLayerUploadResponse,
} from '@aws-sdk/client-ecr'
import ecrModel from '../../models/ecr.json' with { type: 'json' }
import type { EcrServices } from '../../src/protocols/ecr/operation.ts'
import { ecrService } from '../../src/protocols/ecr/operations.ts'
import { client, testWith } from '../support/clients/client-test.ts'
import { everyOperation, subcommand } from '../support/clients/every-operation.ts'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, pushBlob } from '../support/clients/wire.ts'
import { type Blob, type BuiltImage, buildImage, descriptor, sha256 } from '../support/image-builder.ts'

const test = testWith('aws')
const ACCOUNT = '000000000000'
const GUEST = '999999999999'
const SCANNER = `arn:aws:iam::${ACCOUNT}:role/ci/scanner`
const PROFILE = `arn:aws:signer:us-east-1:${ACCOUNT}:/signing-profiles/release`

const LIFECYCLE = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'tagged', tagPatternList: ['*'], countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'expire' },
    },
  ],
})
const POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Sid: 'pull', Effect: 'Allow', Principal: { AWS: GUEST }, Action: 'ecr:BatchGetImage' }],
})
const REGISTRY_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 'create',
      Effect: 'Allow',
      Principal: { AWS: GUEST },
      Action: 'ecr:CreateRepository',
      Resource: `arn:aws:ecr:us-east-1:${ACCOUNT}:repository/guest/*`,
    },
  ],
})

describe('every command of `aws ecr`', () => {
  const stage = useStage({ repositories: ['every/images', 'every/layers', 'every/signed'] })
  const ecr = everyOperation(stage, 'ecr', {
    // The table is built without calling anything, so no service is needed behind it.
    ...ecrService({} as EcrServices),
    paginated: Object.keys(ecrModel.paginators),
  })

  const named = (name: string) => ['--repository-name', name] as const

  test('repositories, their settings, tags and policies', async () => {
    const of = named('every/one')
    const { repository } = await ecr.json<CreateRepositoryResponse>(
      'CreateRepository',
      ...of,
      '--tags',
      'Key=a,Value=1',
    )
    expect(repository).toMatchObject({ repositoryName: 'every/one', repositoryUri: `${stage.host}/every/one` })
    const arn = ['--resource-arn', repository.repositoryArn] as const

    const tags = async () => {
      await ecr.json('TagResource', ...arn, '--tags', 'Key=b,Value=2')
      await ecr.json('UntagResource', ...arn, '--tag-keys', 'a')
      expect(await ecr.json('ListTagsForResource', ...arn)).toEqual({ tags: [{ Key: 'b', Value: '2' }] })
    }
    const settings = async () => {
      expect(await ecr.json('PutImageTagMutability', ...of, '--image-tag-mutability', 'IMMUTABLE')).toMatchObject({
        imageTagMutability: 'IMMUTABLE',
      })
      await ecr.json('PutImageScanningConfiguration', ...of, '--image-scanning-configuration', 'scanOnPush=true')
      expect(await ecr.json('DescribeRepositories', '--repository-names', 'every/one')).toMatchObject({
        repositories: [{ imageTagMutability: 'IMMUTABLE', imageScanningConfiguration: { scanOnPush: true } }],
      })
    }
    const policy = async () => {
      const policyText = POLICY
      await ecr.json('SetRepositoryPolicy', ...of, '--policy-text', policyText)
      for (const operation of ['GetRepositoryPolicy', 'DeleteRepositoryPolicy'])
        expect(await ecr.json(operation, ...of)).toMatchObject({ policyText })
    }
    const lifecycle = async () => {
      const lifecyclePolicyText = LIFECYCLE
      await ecr.json('PutLifecyclePolicy', ...of, '--lifecycle-policy-text', lifecyclePolicyText)
      for (const operation of ['GetLifecyclePolicy', 'DeleteLifecyclePolicy'])
        expect(await ecr.json(operation, ...of)).toMatchObject({ lifecyclePolicyText })
    }
    await Promise.all([tags(), settings(), policy(), lifecycle()])
    expect(await ecr.json('DeleteRepository', ...of)).toMatchObject({ repository: { repositoryName: 'every/one' } })
  })

  test('an image by the layer API alone, up to its end in the archive', async () => {
    const of = named('every/layers')
    const image = buildImage('every-layer', { layers: [{ 'a.txt': 'a' }] })
    const { config, manifest } = image
    const [layer] = image.layers as readonly Blob[] as [Blob]
    await pushBlob(stage, 'every/layers', config)
    await Promise.all([writeFile(stage.path('layer'), layer.bytes), writeFile(stage.path('manifest'), manifest.bytes)])
    const { uploadId, partSize } = await ecr.json<InitiateLayerUploadResponse>('InitiateLayerUpload', ...of)
    expect(partSize).toBeGreaterThanOrEqual(layer.bytes.length)
    const last = layer.bytes.length - 1
    const part = ['--part-first-byte', '0', '--part-last-byte', `${last}`]
    const upload = ['--upload-id', uploadId]
    const blob = ['--layer-part-blob', `fileb://${stage.path('layer')}`]
    expect(await ecr.json('UploadLayerPart', ...of, ...upload, ...part, ...blob)).toMatchObject({
      lastByteReceived: last,
    })
    const digests = ['--layer-digests', layer.digest]
    expect(await ecr.json('CompleteLayerUpload', ...of, ...upload, ...digests)).toMatchObject({
      layerDigest: layer.digest,
    })
    const text = ['--image-manifest', `file://${stage.path('manifest')}`, '--image-tag', 'v1']
    const [available, put] = await Promise.all([
      ecr.json('BatchCheckLayerAvailability', ...of, ...digests),
      ecr.json('PutImage', ...of, ...text),
    ])
    expect(available).toMatchObject({ layers: [{ layerAvailability: 'AVAILABLE', layerSize: layer.bytes.length }] })
    expect(put).toMatchObject({ image: { imageId: { imageDigest: manifest.digest, imageTag: 'v1' } } })

    const id = ['--image-id', 'imageTag=v1']
    const archive = ['--target-storage-class', 'ARCHIVE']
    const [{ images }, { downloadUrl }] = await Promise.all([
      ecr.json<BatchGetImageResponse>('BatchGetImage', ...of, '--image-ids', 'imageTag=v1'),
      ecr.json<GetDownloadUrlForLayerResponse>('GetDownloadUrlForLayer', ...of, '--layer-digest', layer.digest),
    ])
    expect(sha256(await (await fetch(downloadUrl)).bytes())).toBe(layer.digest)
    expect(images.map(({ imageManifest }) => imageManifest)).toEqual([manifest.bytes.toString()])
    expect(await ecr.json('UpdateImageStorageClass', ...of, ...id, ...archive)).toMatchObject({
      imageStatus: 'ARCHIVED',
    })
    expect(await ecr.json('BatchDeleteImage', ...of, '--image-ids', `imageDigest=${manifest.digest}`)).toMatchObject({
      imageIds: [{ imageDigest: manifest.digest }],
      failures: [],
    })
  })

  test('images page by page, what refers to them, and the preview of a lifecycle policy', async () => {
    const of = named('every/images')
    const tags = ['v1', 'v2', 'v3']
    const images = tags.map((tag) => buildImage(`every-${tag}`, { layers: [{ tag }] }))
    for (const [n, image] of images.entries()) await push(stage, 'every/images', image, tags[n])
    const [{ manifest: subject }] = images as [BuiltImage]
    const referrer = buildImage('every-referrer', {
      layers: [{ n: 'r' }],
      manifest: { artifactType: 'application/spdx+json', subject: descriptor(subject) },
    })
    await push(stage, 'every/images', referrer)
    const scan = ['--image-id', 'imageTag=v1', '--page-size', '1']
    const preview = async () => {
      const begun = await ecr.json('StartLifecyclePolicyPreview', ...of, '--lifecycle-policy-text', LIFECYCLE)
      expect(begun).toMatchObject({ status: 'IN_PROGRESS' })
      await ecr.text('wait', 'lifecycle-policy-preview-complete', ...of)
      return ecr.pages('GetLifecyclePolicyPreview', 'previewResults', ...of)
    }
    const [listed, described, referrers, findings, previewed] = await Promise.all([
      ecr.pages('ListImages', 'imageIds', ...of, '--filter', 'tagStatus=TAGGED'),
      ecr.pages('DescribeImages', 'imageDetails', ...of, '--filter', 'tagStatus=TAGGED'),
      ecr.json('ListImageReferrers', ...of, '--subject-id', `imageDigest=${subject.digest}`),
      // What a scan finds, its pages and `wait image-scan-complete` have a file of their own.
      ecr.failure('DescribeImageScanFindings', ...of, ...scan),
      preview(),
    ])
    expect(listed).toHaveLength(3)
    expect(described).toHaveLength(3)
    for (const [n, { manifest }] of images.entries()) {
      const imageDigest = manifest.digest
      expect(listed).toContainEqual({ imageDigest, imageTag: tags[n] })
      expect(described).toContainEqual(expect.objectContaining({ imageDigest, imageTags: [tags[n]] }))
    }
    expect(referrers).toMatchObject({ referrers: [{ digest: referrer.manifest.digest }] })
    expect(findings).toContain('(ScanNotFoundException) when calling the DescribeImageScanFindings operation: ')
    expect(previewed).toMatchObject([{ imageTags: ['v1'] }, { imageTags: ['v2'] }])
    expect(await ecr.json('StartImageScan', ...of, '--image-id', 'imageTag=v1')).toMatchObject({
      imageScanStatus: { status: 'IN_PROGRESS' },
    })
  })

  test('the registry: its policy, settings, exclusions, templates, signing and logins', async () => {
    const scanning = async () => {
      const rules = [
        { scanFrequency: 'SCAN_ON_PUSH', repositoryFilters: [{ filter: 'every', filterType: 'WILDCARD' }] },
      ]
      const put = ['--scan-type', 'BASIC', '--rules', JSON.stringify(rules)]
      await ecr.json('PutRegistryScanningConfiguration', ...put)
      expect(await ecr.json('GetRegistryScanningConfiguration')).toMatchObject({ scanningConfiguration: { rules } })
      const of = ['--repository-names', 'every/images']
      expect(await ecr.json('BatchGetRepositoryScanningConfiguration', ...of)).toMatchObject({
        scanningConfigurations: [{ scanFrequency: 'SCAN_ON_PUSH', scanOnPush: true }],
      })
    }
    const settings = async () => {
      const setting = { name: 'BLOB_MOUNTING', value: 'ENABLED' }
      const name = ['--name', setting.name]
      expect(await ecr.json('PutAccountSetting', ...name, '--value', setting.value)).toEqual(setting)
      expect(await ecr.json('GetAccountSetting', ...name)).toEqual(setting)
      expect(await ecr.json('DescribeRegistry')).toMatchObject({ registryId: ACCOUNT })
    }
    const policy = async () => {
      await ecr.json('PutRegistryPolicy', '--policy-text', REGISTRY_POLICY)
      for (const operation of ['GetRegistryPolicy', 'DeleteRegistryPolicy'])
        expect(await ecr.json(operation)).toMatchObject({ policyText: REGISTRY_POLICY })
    }
    const exclusions = async () => {
      const principal = ['--principal-arn', SCANNER]
      const expected = { principalArn: SCANNER }
      expect(await ecr.json('RegisterPullTimeUpdateExclusion', ...principal)).toMatchObject(expected)
      expect(await ecr.json('ListPullTimeUpdateExclusions')).toEqual({ pullTimeUpdateExclusions: [SCANNER] })
      expect(await ecr.json('DeregisterPullTimeUpdateExclusion', ...principal)).toMatchObject(expected)
    }
    const templates = async () => {
      const prefixes = ['alpha', 'beta']
      for (const prefix of prefixes) {
        const given = ['--prefix', prefix, '--applied-for', 'CREATE_ON_PUSH']
        expect(await ecr.json('CreateRepositoryCreationTemplate', ...given)).toMatchObject({
          repositoryCreationTemplate: { prefix, appliedFor: ['CREATE_ON_PUSH'] },
        })
      }
      const changed = { prefix: 'beta', description: 'for tests' }
      const change = ['--prefix', 'beta', '--description', changed.description]
      expect(await ecr.json('UpdateRepositoryCreationTemplate', ...change)).toMatchObject({
        repositoryCreationTemplate: changed,
      })
      expect(await ecr.pages('DescribeRepositoryCreationTemplates', 'repositoryCreationTemplates')).toMatchObject([
        { prefix: 'alpha' },
        changed,
      ])
      expect(await ecr.json('DeleteRepositoryCreationTemplate', '--prefix', 'beta')).toMatchObject({
        repositoryCreationTemplate: changed,
      })
    }
    const signing = async () => {
      const signingConfiguration = {
        rules: [
          {
            signingProfileArn: PROFILE,
            repositoryFilters: [{ filter: 'every/signed', filterType: 'WILDCARD_MATCH' }],
          },
        ],
      }
      const rules = ['--signing-configuration', JSON.stringify(signingConfiguration)]
      expect(await ecr.json('PutSigningConfiguration', ...rules)).toEqual({ signingConfiguration })
      await push(stage, 'every/signed', buildImage('every-signed', { layers: [{ n: 's' }] }), 'v1')
      const status = await ecr.json<DescribeImageSigningStatusResponse>(
        ...(['DescribeImageSigningStatus', ...named('every/signed'), '--image-id', 'imageTag=v1'] as const),
      )
      expect(status.signingStatuses).toMatchObject([{ signingProfileArn: PROFILE }])
      expect(status.signingStatuses[0]?.status).toBeOneOf(['IN_PROGRESS', 'COMPLETE'])
      for (const operation of ['GetSigningConfiguration', 'DeleteSigningConfiguration'])
        expect(await ecr.json(operation)).toMatchObject({ signingConfiguration })
    }
    const replication = async () => {
      const rules = (...destinations: readonly object[]) => [
        '--replication-configuration',
        JSON.stringify({ rules: destinations.map((destination) => ({ destinations: [destination] })) }),
      ]
      const far = { region: 'eu-central-1', registryId: ACCOUNT }
      await ecr.json('CreateRepository', ...named('every/copied'))
      const put = await ecr.json<object>('PutReplicationConfiguration', ...rules(far))
      expect(put).toEqual({ replicationConfiguration: { rules: [{ destinations: [far] }] } })
      expect(await ecr.json('DescribeRegistry')).toEqual({ registryId: ACCOUNT, ...put })
      await push(stage, 'every/copied', buildImage('every-copied', { layers: [{ n: 'c' }] }), 'v1')
      const asked = [...named('every/copied'), '--image-id', 'imageTag=v1'] as const
      const { replicationStatuses } = await ecr.json<DescribeImageReplicationStatusResponse>(
        ...(['DescribeImageReplicationStatus', ...asked] as const),
      )
      expect(replicationStatuses).toMatchObject([far])
      expect(replicationStatuses?.[0]?.status).toBeOneOf(['IN_PROGRESS', 'COMPLETE'])
      await ecr.json('PutReplicationConfiguration', ...rules())
      await ecr.json('DeleteRepository', ...named('every/copied'), '--force')
    }
    const logins = async () => {
      const [token, password, version] = await Promise.all([
        ecr.json('GetAuthorizationToken'),
        ecr.text('get-login-password'),
        run([client('aws'), '--version']),
      ])
      expect(token).toMatchObject({ authorizationData: [{ proxyEndpoint: stage.url }] })
      expect(await statusOfLogin(password)).toBe(200)
      // Later versions of the CLI do not have it.
      if (!version.startsWith('aws-cli/1.')) return
      const command = await ecr.text('get-login', '--no-include-email')
      const [, given = '', endpoint] = /^docker login -u AWS -p (\S+) (\S+)$/.exec(command) ?? []
      expect(await statusOfLogin(given)).toBe(200)
      expect(endpoint).toBe(stage.url)
    }
    await Promise.all([settings(), scanning(), policy(), exclusions(), templates(), signing(), replication(), logins()])
  })

  const statusOfLogin = async (password: string) => {
    const authorization = `Basic ${Buffer.from(`AWS:${password}`).toString('base64')}`
    return (await fetch(`${stage.url}/v2/`, { headers: { authorization } })).status
  }

  test('repositories page by page', async () => {
    expect(await ecr.pages('DescribeRepositories', 'repositories')).toMatchObject([
      { repositoryName: 'every/images' },
      { repositoryName: 'every/layers' },
      { repositoryName: 'every/signed' },
    ])
  })

  test('rules of pull-through caches', async () => {
    const prefix = ['--ecr-repository-prefix', 'quay']
    await ecr.json('CreatePullThroughCacheRule', ...prefix, '--upstream-registry-url', 'quay.io')
    expect(await ecr.pages('DescribePullThroughCacheRules', 'pullThroughCacheRules')).toMatchObject([
      { ecrRepositoryPrefix: 'quay', upstreamRegistryUrl: 'quay.io' },
    ])
    const refused = await ecr.failure('UpdatePullThroughCacheRule', ...prefix, '--custom-role-arn', SCANNER)
    expect(refused).toContain('customRoleArn can only be set for an upstream registry of Amazon ECR')
    // Whether quay.io can be asked from here is not for this test to say.
    expect(await ecr.json('ValidatePullThroughCacheRule', ...prefix)).toMatchObject({ ecrRepositoryPrefix: 'quay' })
    await ecr.json('DeletePullThroughCacheRule', ...prefix)
    expect(ecr.refused).toEqual([])
  })

  test('nothing was left out', async () => {
    const left = ecr.handled.filter((operation) => !ecr.called.has(operation)).map(subcommand)
    expect(left).toEqual([])
    expect(ecr.paginated.filter((operation) => !ecr.paged.has(operation))).toEqual([])
  })
})
