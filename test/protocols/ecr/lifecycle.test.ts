import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import {
  BatchDeleteImageCommand,
  CreateRepositoryCommand,
  DeleteLifecyclePolicyCommand,
  GetLifecyclePolicyCommand,
  GetLifecyclePolicyPreviewCommand,
  PutLifecyclePolicyCommand,
  paginateGetLifecyclePolicyPreview,
  StartLifecyclePolicyPreviewCommand,
  waitUntilLifecyclePolicyPreviewComplete,
} from '@aws-sdk/client-ecr'
import { pushImage, refTo } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from './ecr-fixture.ts'

const DAY_MS = 86_400_000
const repositoryName = 'team/app'
const repository = { registryId: '123456789012', repositoryName }
const missing = `does not exist for the repository with name 'team/app' in the registry with id '123456789012'`

let ecr: EcrFixture

beforeEach(async () => {
  ecr = await createEcr()
  await ecr.client.send(new CreateRepositoryCommand({ repositoryName }))
})

afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const rule = (rulePriority: number, selection: object, action: object = { type: 'expire' }) => ({
  rulePriority,
  selection,
  action,
})
const policy = (...rules: readonly object[]) => JSON.stringify({ rules })
const untaggedAfterADay = rule(1, {
  tagStatus: 'untagged',
  countType: 'sinceImagePushed',
  countUnit: 'days',
  countNumber: 1,
})
const lifecyclePolicyText = policy(untaggedAfterADay)

/** Pushes an image, one minute after the one before. */
async function push(content: string, ...tags: string[]): Promise<string> {
  ecr.clock.advance(60_000)
  return pushImage(ecr, refTo(repositoryName), content, ...tags)
}

describe('Put, Get and DeleteLifecyclePolicy', () => {
  test('keep the text and say when it was last evaluated', async () => {
    const put = await ecr.client.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }))
    expect(put).toMatchObject({ ...repository, lifecyclePolicyText })
    const before = await ecr.client.send(new GetLifecyclePolicyCommand({ repositoryName }))
    expect(before).toMatchObject({ ...repository, lifecyclePolicyText, lastEvaluatedAt: new Date(0) })
    ecr.clock.advance(10_000)
    await ecr.lifecycleJobs.runDue()
    const after = await ecr.client.send(new DeleteLifecyclePolicyCommand({ repositoryName }))
    expect(after).toMatchObject({ ...repository, lifecyclePolicyText, lastEvaluatedAt: ecr.clock.now() })
  })

  test('say when there is none', async () => {
    for (const command of [
      new GetLifecyclePolicyCommand({ repositoryName }),
      new DeleteLifecyclePolicyCommand({ repositoryName }),
      new StartLifecyclePolicyPreviewCommand({ repositoryName }),
    ])
      expect(await refusalOf(ecr.client.send(command as GetLifecyclePolicyCommand))).toEqual([
        'LifecyclePolicyNotFoundException',
        `Lifecycle policy ${missing}`,
      ])
  })

  test('a policy that is none is refused in words', async () => {
    const text = policy(rule(1, { tagStatus: 'tagged', countType: 'imageCountMoreThan', countNumber: 1 }))
    const put = new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: text })
    expect(await refusalOf(ecr.client.send(put))).toEqual([
      'InvalidParameterException',
      `Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.'`,
    ])
    const start = new StartLifecyclePolicyPreviewCommand({ repositoryName, lifecyclePolicyText: text })
    expect((await refusalOf(ecr.client.send(start)))[0]).toBe('InvalidParameterException')
  })

  test('the text has 100 to 30720 characters', async () => {
    for (const text of ['{"rules":[]}', lifecyclePolicyText.padEnd(30_721)]) {
      const put = new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: text })
      const [code, message] = await refusalOf(ecr.client.send(put))
      expect(code).toBe('InvalidParameterException')
      expect(message).toContain("Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: ")
    }
    const longest = lifecyclePolicyText.padEnd(30_720)
    await ecr.client.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText: longest }))
  })

  test('go with the repository', async () => {
    const put = new PutLifecyclePolicyCommand({ repositoryName: 'nowhere', lifecyclePolicyText })
    expect((await refusalOf(ecr.client.send(put)))[0]).toBe('RepositoryNotFoundException')
  })
})

describe('Start and GetLifecyclePolicyPreview', () => {
  test('a preview is under way, then complete, which the waiter notices', async () => {
    await push('old')
    ecr.clock.advance(2 * DAY_MS)
    const start = new StartLifecyclePolicyPreviewCommand({ repositoryName, lifecyclePolicyText })
    expect(await ecr.client.send(start)).toMatchObject({ ...repository, lifecyclePolicyText, status: 'IN_PROGRESS' })
    expect(await refusalOf(ecr.client.send(start))).toEqual([
      'LifecyclePolicyPreviewInProgressException',
      `Lifecycle policy preview is in progress for the repository with name 'team/app' in the registry with id '123456789012'`,
    ])
    const waiting = await ecr.client.send(new GetLifecyclePolicyPreviewCommand({ repositoryName }))
    expect(waiting).toMatchObject({ status: 'IN_PROGRESS', previewResults: [] })
    expect(waiting.summary).toBeUndefined()
    await ecr.lifecycleJobs.makePreviews()
    const waiter = { client: ecr.client, maxWaitTime: 10 }
    expect((await waitUntilLifecyclePolicyPreviewComplete(waiter, { repositoryName })).state).toBe('SUCCESS' as never)
  })

  test('a preview says what it would do, by which rule', async () => {
    const [old, idle] = [await push('old'), await push('idle', 'v1', 'v2')]
    ecr.clock.advance(2 * DAY_MS)
    const pulled = { tagStatus: 'any', countType: 'sinceImagePulled', countUnit: 'days', countNumber: 1 }
    const toArchive = { type: 'transition', targetStorageClass: 'archive' }
    const text = policy(untaggedAfterADay, rule(7, pulled, toArchive))
    await ecr.client.send(new StartLifecyclePolicyPreviewCommand({ repositoryName, lifecyclePolicyText: text }))
    await ecr.lifecycleJobs.makePreviews()
    const { $metadata, ...preview } = await ecr.client.send(new GetLifecyclePolicyPreviewCommand({ repositoryName }))
    expect($metadata.httpStatusCode).toBe(200)
    const start = ecr.clock.now().getTime() - 2 * DAY_MS
    expect(preview).toEqual({
      ...repository,
      lifecyclePolicyText: text,
      status: 'COMPLETE',
      previewResults: [
        {
          imageDigest: old,
          imagePushedAt: new Date(start - 60_000),
          action: { type: 'EXPIRE' },
          appliedRulePriority: 1,
          storageClass: 'STANDARD',
        },
        {
          imageDigest: idle,
          imageTags: ['v1', 'v2'],
          imagePushedAt: new Date(start),
          action: { type: 'TRANSITION', targetStorageClass: 'ARCHIVE' },
          appliedRulePriority: 7,
          storageClass: 'STANDARD',
        },
      ],
      summary: {
        expiringImageTotalCount: 1,
        transitioningImageTotalCounts: [{ targetStorageClass: 'ARCHIVE', imageTotalCount: 1 }],
      },
    })
  })

  describe('of several images', () => {
    let digests: string[]

    beforeEach(async () => {
      digests = []
      for (let n = 0; n < 5; n++) digests.push(await push(`image ${n}`, ...(n % 2 === 0 ? [] : [`v${n}`])))
      ecr.clock.advance(2 * DAY_MS)
      const all = { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 }
      const text = policy(rule(1, all))
      await ecr.client.send(new StartLifecyclePolicyPreviewCommand({ repositoryName, lifecyclePolicyText: text }))
      await ecr.lifecycleJobs.makePreviews()
    })

    const previewed = async (input: object) => {
      const preview = await ecr.client.send(new GetLifecyclePolicyPreviewCommand({ repositoryName, ...input }))
      expect(preview.summary).toEqual({ expiringImageTotalCount: 4 })
      return preview.previewResults?.map(({ imageDigest }) => digests.indexOf(imageDigest ?? ''))
    }

    test('is paged', async () => {
      const sizes: (number | undefined)[] = []
      const pages = paginateGetLifecyclePolicyPreview({ client: ecr.client, pageSize: 3 }, { repositoryName })
      for await (const { previewResults } of pages) sizes.push(previewResults?.length)
      expect(sizes).toEqual([3, 1])
    })

    test('is filtered by tag status', async () => {
      expect(await previewed({ filter: { tagStatus: 'TAGGED' } })).toEqual([1, 3])
      expect(await previewed({ filter: { tagStatus: 'UNTAGGED' } })).toEqual([0, 2])
      expect(await previewed({ filter: { tagStatus: 'ANY' } })).toEqual([0, 1, 2, 3])
      expect(await previewed({ filter: {} })).toEqual([0, 1, 2, 3])
    })

    test('is asked for certain images; those that it does not touch are not listed', async () => {
      const [first, , , , kept] = digests
      const imageIds = [{ imageTag: 'v3' }, { imageDigest: first }, { imageDigest: kept }, { imageTag: 'none' }]
      expect(await previewed({ imageIds })).toEqual([0, 3])
      expect(await previewed({ imageIds, filter: { tagStatus: 'TAGGED' } })).toEqual([3])
      expect(await previewed({ imageIds: [{ imageDigest: first, imageTag: 'v3' }] })).toEqual([])
    })

    test('is still what it was when images have gone since', async () => {
      const gone = new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageDigest: digests[0] }] })
      await ecr.client.send(gone)
      expect(await previewed({})).toEqual([0, 1, 2, 3])
    })

    test('imageIds exclude paging, and pages have 1 to 100 results', async () => {
      for (const input of [
        { imageIds: [{ imageTag: 'v1' }], maxResults: 3 },
        { imageIds: [{ imageTag: 'v1' }], nextToken: 'x' },
        { maxResults: 101 },
        { maxResults: 0 },
        { imageIds: [] },
        { filter: { tagStatus: 'SOME' as never } },
      ]) {
        const command = new GetLifecyclePolicyPreviewCommand({ repositoryName, ...input })
        expect((await refusalOf(ecr.client.send(command)))[0]).toBe('InvalidParameterException')
      }
    })
  })

  test('there is none before one was started', async () => {
    const command = new GetLifecyclePolicyPreviewCommand({ repositoryName })
    expect(await refusalOf(ecr.client.send(command))).toEqual([
      'LifecyclePolicyPreviewNotFoundException',
      `Lifecycle policy preview ${missing}`,
    ])
  })
})

test('other accounts have no part in it', async () => {
  const other = ecr.clientOf('999999999999')
  for (const command of [
    new PutLifecyclePolicyCommand({ ...repository, lifecyclePolicyText }),
    new GetLifecyclePolicyCommand(repository),
    new DeleteLifecyclePolicyCommand(repository),
    new StartLifecyclePolicyPreviewCommand(repository),
    new GetLifecyclePolicyPreviewCommand(repository),
  ])
    expect((await refusalOf(other.send(command as GetLifecyclePolicyCommand)))[0]).toBe('AccessDeniedException')
})
