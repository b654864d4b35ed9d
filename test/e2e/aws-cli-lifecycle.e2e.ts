import { describe, expect } from 'bun:test'
import type {
  DescribeImagesResponse,
  GetLifecyclePolicyPreviewResponse,
  GetLifecyclePolicyResponse,
  StartLifecyclePolicyPreviewResponse,
} from '@aws-sdk/client-ecr'
import { awsCli } from '../support/clients/aws-cli.ts'
import { testWith } from '../support/clients/client-test.ts'
import { attempt } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex } from '../support/image-builder.ts'
import { ownEnvironment, program } from '../support/start-registry.ts'

const test = testWith('aws')
const PLATFORMS = ['amd64', 'arm64'].map((architecture) => ({ os: 'linux', architecture }))

const rule = (rulePriority: number, selection: object, type = 'expire') => ({
  rulePriority,
  description: `rule ${rulePriority}`,
  selection: { countType: 'imageCountMoreThan', countNumber: 1, ...selection },
  action: type === 'expire' ? { type } : { type, targetStorageClass: 'archive' },
})
const policy = (...rules: readonly object[]) => JSON.stringify({ rules })
const keepOne = (...tagPrefixList: readonly string[]) => ({ tagStatus: 'tagged', tagPrefixList })

describe('the AWS CLI and lifecycle policies', () => {
  const stage = useStage({ repositories: ['life/cycle', 'life/preview', 'life/index', 'life/soon', 'life/archive'] })
  const ecr = <Response>(operation: string, repository: string, ...args: string[]) =>
    awsCli(stage).json<Response>('ecr', operation, '--repository-name', repository, ...args)
  const ecru = (...args: readonly string[]) =>
    attempt([...program(), 'lifecycle', ...args, '--url', stage.url], { env: ownEnvironment() })
  const tagsIn = async (repository: string, filter = 'imageStatus=ACTIVE') => {
    const { imageDetails } = await ecr<DescribeImagesResponse>('describe-images', repository, '--filter', filter)
    return imageDetails.flatMap(({ imageTags = [] }) => imageTags).sort()
  }

  test('a policy is put, read and deleted', async () => {
    const text = policy(rule(1, { tagStatus: 'untagged' }))
    await ecr('put-lifecycle-policy', 'life/cycle', '--lifecycle-policy-text', text)
    const got = await ecr<GetLifecyclePolicyResponse>('get-lifecycle-policy', 'life/cycle')
    expect(got.lifecyclePolicyText).toBe(text)
    expect(got.lastEvaluatedAt).toBe(0)
    const gone = await ecr<GetLifecyclePolicyResponse>('delete-lifecycle-policy', 'life/cycle')
    expect(gone.lifecyclePolicyText).toBe(text)
    expect(await awsCli(stage).failure('ecr', 'get-lifecycle-policy', '--repository-name', 'life/cycle')).toContain(
      "(LifecyclePolicyNotFoundException) when calling the GetLifecyclePolicy operation: Lifecycle policy does not exist for the repository with name 'life/cycle'",
    )
    const wrong = policy(rule(1, { tagStatus: 'tagged' }))
    expect(
      await awsCli(stage).failure(
        ...['ecr', 'put-lifecycle-policy', '--repository-name', 'life/cycle', '--lifecycle-policy-text', wrong],
      ),
    ).toContain('Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.')
  })

  test('a preview is waited for, and a run does what it said', async () => {
    const repository = 'life/preview'
    for (const tag of ['prod-1', 'prod-2', 'beta-1', 'beta-2'])
      await push(stage, repository, buildImage(`life-${tag}`), tag)
    const text = policy(rule(1, keepOne('prod')), rule(2, keepOne('beta')))
    const start = await ecr<StartLifecyclePolicyPreviewResponse>(
      ...(['start-lifecycle-policy-preview', repository, '--lifecycle-policy-text', text] as const),
    )
    expect(start.status).toBe('IN_PROGRESS')
    await awsCli(stage).text('ecr', 'wait', 'lifecycle-policy-preview-complete', '--repository-name', repository)
    const preview = await ecr<GetLifecyclePolicyPreviewResponse>('get-lifecycle-policy-preview', repository)
    expect(preview.status).toBe('COMPLETE')
    expect(preview.summary.expiringImageTotalCount).toBe(2)
    expect(
      preview.previewResults.map(({ imageTags, appliedRulePriority }) => [imageTags, appliedRulePriority]),
    ).toEqual([
      [['prod-1'], 1],
      [['beta-1'], 2],
    ])
    expect(await tagsIn(repository)).toHaveLength(4)

    await ecr('put-lifecycle-policy', repository, '--lifecycle-policy-text', text)
    const foretold = await ecru('preview', repository)
    expect(foretold.exitCode).toBe(0)
    expect(foretold.stdout).toMatch(/^expiring count +2$/m)
    expect(foretold.stdout).toMatch(/^ +1 +expire .* prod-1$/m)
    const ran = await ecru('run', repository)
    expect(ran.exitCode).toBe(0)
    expect(ran.stdout).toMatch(/^expired images +2$/m)
    expect(await tagsIn(repository)).toEqual(['beta-2', 'prod-2'])
    expect((await wire(stage, `${repository}/manifests/prod-1`)).status).toBe(404)
    const { lastEvaluatedAt } = await ecr<GetLifecyclePolicyResponse>('get-lifecycle-policy', repository)
    expect(Math.abs(lastEvaluatedAt * 1000 - Date.now())).toBeLessThan(60_000)
  })

  test('children of an index go one run after it', async () => {
    const repository = 'life/index'
    const index = buildIndex(PLATFORMS.map((platform) => buildImage(`life-${platform.architecture}`, { platform })))
    await push(stage, repository, index, 'v1')
    await push(stage, repository, buildImage('life-v2'), 'v2')
    const text = policy(rule(1, { ...keepOne('v') }), rule(2, { tagStatus: 'untagged' }))
    await ecr('put-lifecycle-policy', repository, '--lifecycle-policy-text', text)
    const first = await ecru('run', repository)
    expect(first.stdout).toContain('ImageReferencedByManifestList')
    expect(first.stdout).toMatch(/^expired images +1$/m)
    const second = await ecru('run', repository, '--json')
    expect(JSON.parse(second.stdout)).toMatchObject({ expiredImages: 1, failures: 0 })
  })

  test('images are archived, and cannot be pulled then', async () => {
    const repository = 'life/archive'
    for (const tag of ['v1', 'v2']) await push(stage, repository, buildImage(`life-archive-${tag}`), tag)
    const text = policy(rule(1, keepOne('v'), 'transition'))
    await ecr('put-lifecycle-policy', repository, '--lifecycle-policy-text', text)
    await ecru('run', repository)
    expect(await tagsIn(repository)).toEqual(['v2'])
    expect(await tagsIn(repository, 'imageStatus=ARCHIVED')).toEqual(['v1'])
    expect((await wire(stage, `${repository}/manifests/v1`)).status).toBe(404)
  })

  test('a policy that was put acts by itself, soon', async () => {
    const repository = 'life/soon'
    for (const tag of ['v1', 'v2']) await push(stage, repository, buildImage(`life-soon-${tag}`), tag)
    await ecr('put-lifecycle-policy', repository, '--lifecycle-policy-text', policy(rule(1, keepOne('v'))))
    while ((await tagsIn(repository)).length > 1) await Bun.sleep(500)
    expect(await tagsIn(repository)).toEqual(['v2'])
    expect(await stage.registry.log()).toContain('lifecycle policy executed')
  })
})
