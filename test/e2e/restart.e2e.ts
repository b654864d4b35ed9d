import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  DescribeImagesCommand,
  DescribeRepositoriesCommand,
  type ImageStatusFilter,
  type TargetStorageClass,
  UpdateImageStorageClassCommand,
} from '@aws-sdk/client-ecr'
import { openStage } from '../support/clients/stage.ts'
import { push, servesEveryByte, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex } from '../support/image-builder.ts'
import { ecrClient, freePort } from '../support/start-registry.ts'

describe('what was acknowledged is there after a restart', () => {
  let dataDir: string
  let port: number
  const index = buildIndex(
    ['amd64', 'arm64'].map((architecture) =>
      buildImage(`restart-${architecture}`, { platform: { os: 'linux', architecture } }),
    ),
    'docker',
  )
  const image = buildImage('restart')

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'ecru-restart-'))
    port = await freePort()
  })
  afterAll(() => rm(dataDir, { recursive: true, force: true }))

  test('images, tags, repositories and logins survive SIGKILL', async () => {
    const before = await openStage({ dataDir, port, repositories: ['re/app', 're/gone'] })
    await push(before, 're/app', index, 'all')
    await push(before, 're/app', image, 'v1')
    await push(before, 're/app', image, 'v2')
    await wire(before, 're/app/manifests/v1', { method: 'DELETE' })
    await before.registry.kill()
    const after = await openStage({ dataDir, port })
    try {
      expect(await servesEveryByte({ ...after, password: before.password }, 're/app', index)).toBe(true)
      expect(await servesEveryByte(after, 're/app', image)).toBe(true)
      expect((await storedManifest(after, 're/app', 'v2')).digest).toBe(image.manifest.digest)
      expect((await wire(after, 're/app/manifests/v1')).status).toBe(404)
      const ecr = ecrClient(after.url)
      const { repositories } = await ecr.send(new DescribeRepositoriesCommand({}))
      expect(repositories?.map(({ repositoryName }) => repositoryName)).toEqual(['re/app', 're/gone'])
      const { imageDetails } = await ecr.send(new DescribeImagesCommand({ repositoryName: 're/app' }))
      expect(imageDetails).toHaveLength(4)
      ecr.destroy()
    } finally {
      await after.close()
      await before.close()
    }
  }, 60_000)

  test('what is archived stays so over SIGKILL, and a restoration goes on', async () => {
    const repositoryName = 're/archive'
    const [kept, restored] = [buildImage('re-kept'), buildImage('re-restored')]
    const open = () => openStage({ dataDir, port, env: { ECRU_ACTIVATION_TIME: '1s' } })
    const before = await open()
    await before.createRepository(repositoryName)
    await push(before, repositoryName, kept, 'kept')
    await push(before, repositoryName, restored, 'restored')
    const ecr = ecrClient(before.url)
    const update = (imageTag: string, targetStorageClass: TargetStorageClass) =>
      ecr.send(new UpdateImageStorageClassCommand({ repositoryName, imageId: { imageTag }, targetStorageClass }))
    for (const tag of ['kept', 'restored']) await update(tag, 'ARCHIVE')
    expect((await update('restored', 'STANDARD')).imageStatus).toBe('ACTIVATING')
    await before.registry.kill()
    const after = await open()
    try {
      const tagsOf = async (imageStatus: ImageStatusFilter) => {
        const command = new DescribeImagesCommand({ repositoryName, filter: { imageStatus } })
        return (await ecr.send(command)).imageDetails?.flatMap(({ imageTags = [] }) => imageTags)
      }
      while ((await wire(after, `${repositoryName}/manifests/restored`)).status !== 200) await Bun.sleep(50)
      expect(await tagsOf('ACTIVE')).toEqual(['restored'])
      expect(await tagsOf('ARCHIVED')).toEqual(['kept'])
      expect(await servesEveryByte(after, repositoryName, restored)).toBe(true)
      expect((await wire(after, `${repositoryName}/manifests/kept`)).status).toBe(404)
      await push(after, repositoryName, kept, 'kept')
      expect(await servesEveryByte(after, repositoryName, kept)).toBe(true)
      ecr.destroy()
    } finally {
      await after.close()
      await before.close()
    }
  }, 60_000)

  test('SIGTERM ends it cleanly, and it comes back as it was', async () => {
    const first = await openStage({ dataDir, port })
    expect(await first.registry.stop()).toBe(0)
    const second = await openStage({ dataDir, port })
    expect(await servesEveryByte(second, 're/app', index)).toBe(true)
    await Promise.all([first.close(), second.close()])
  }, 60_000)
})
