import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DescribeImagesCommand,
  type ECRClient,
  GetLifecyclePolicyCommand,
  PutImageCommand,
  PutLifecyclePolicyCommand,
  paginateListImages,
  StartLifecyclePolicyPreviewCommand,
  waitUntilLifecyclePolicyPreviewComplete,
} from '@aws-sdk/client-ecr'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { pushBlob } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'
import { ecrClient, freePort } from '../support/start-registry.ts'

const repositoryName = 'life/crash'
const IMAGES = 400
const KEPT = 10
/** No run but those that are asked for. */
const env = { ECRU_LIFECYCLE_INTERVAL: '0' }
const TEST_MS = 120_000

const lifecyclePolicyText = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'tagged', tagPrefixList: ['v'], countType: 'imageCountMoreThan', countNumber: KEPT },
      action: { type: 'expire' },
    },
  ],
})

/** Pushes many images that differ in an annotation only, `v1000` first. */
async function pushMany(stage: Stage, ecr: ECRClient): Promise<void> {
  const { config, layers, manifest } = buildImage('life-crash')
  for (const blob of [config, ...layers]) await pushBlob(stage, repositoryName, blob)
  const document: object = JSON.parse(manifest.bytes.toString())
  for (let n = 0; n < IMAGES; n++) {
    const imageManifest = JSON.stringify({ ...document, annotations: { n: String(n) } })
    await ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: `v${1000 + n}` }))
  }
}

async function tagsLeft(ecr: ECRClient): Promise<readonly string[]> {
  const tags: string[] = []
  for await (const { imageIds = [] } of paginateListImages({ client: ecr, pageSize: 1000 }, { repositoryName }))
    tags.push(...imageIds.flatMap(({ imageTag }) => imageTag ?? []))
  return tags.sort()
}

const newest = (count: number) => Array.from({ length: count }, (_, at) => `v${1000 + IMAGES - count + at}`)

describe('SIGKILL in the middle of a lifecycle run', () => {
  let dataDir: string
  let port: number

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ecru-lifecycle-'))
    port = await freePort()
  })
  afterAll(() => rm(dataDir, { recursive: true, force: true }))

  test(
    'leaves whole images, the newest; the next run does the rest, and a preview that was asked for is made',
    async () => {
      const before = await openStage({ dataDir, port, env, repositories: [repositoryName] })
      const ecr = ecrClient(before.url)
      await pushMany(before, ecr)
      await ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }))
      const runUrl = `${before.url}/_ecru/lifecycle/run?repository=${repositoryName}`
      const broken = fetch(runUrl, { method: 'POST' }).then(
        () => 'done',
        () => 'broken',
      )
      while ((await tagsLeft(ecr)).length === IMAGES);
      await ecr.send(new StartLifecyclePolicyPreviewCommand({ repositoryName }))
      await before.registry.kill()
      expect(await broken).toBe('broken')

      const after = await openStage({ dataDir, port, env })
      try {
        const left = await tagsLeft(ecr)
        expect(left.length).toBeGreaterThanOrEqual(KEPT)
        expect(left.length).toBeLessThan(IMAGES)
        expect(left).toEqual(newest(left.length))
        const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName, maxResults: 1000 }))
        expect(imageDetails).toHaveLength(left.length)
        const { lastEvaluatedAt } = await ecr.send(new GetLifecyclePolicyCommand({ repositoryName }))
        expect(lastEvaluatedAt).toEqual(new Date(0))
        const waiter = { client: ecr, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }
        await waitUntilLifecyclePolicyPreviewComplete(waiter, { repositoryName })
        const rerun = await fetch(runUrl, { method: 'POST' })
        expect(await rerun.json()).toMatchObject({ expiredImages: left.length - KEPT, failures: 0 })
        expect(await tagsLeft(ecr)).toEqual(newest(KEPT))
      } finally {
        ecr.destroy()
        await after.close()
        await before.close()
      }
    },
    TEST_MS,
  )
})
