import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { hasClients, testWith } from '../support/clients/client-test.ts'
import { type Containerd, startContainerd } from '../support/clients/containerd.ts'
import { attempt } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { missingBelow, push, servesEveryByte, storedManifest } from '../support/clients/wire.ts'
import { buildImage, buildIndex } from '../support/image-builder.ts'

const needed = ['containerd', 'ctr'] as const
const test = testWith(...needed)

describe('containerd pulls and pushes', () => {
  const stage = useStage({ repositories: ['cd/app', 'cd/copy'] })
  const index = buildIndex(
    ['amd64', 'arm64'].map((architecture) =>
      buildImage(`ctr-${architecture}`, { platform: { os: 'linux', architecture } }),
    ),
  )
  const access = () => ['--plain-http', '--user', `AWS:${stage.password}`]
  let containerd: Containerd

  beforeAll(async () => {
    if (hasClients(...needed)) containerd = await startContainerd(stage.path('containerd'))
  }, 60_000)
  afterAll(() => containerd?.stop(), 60_000)

  test('all platforms of an index come, go to another repository, and are the same there', async () => {
    await push(stage, 'cd/app', index, 'all')
    const [from, to] = [`${stage.host}/cd/app:all`, `${stage.host}/cd/copy:all`]
    expect((await attempt(containerd.images('pull', '--plain-http', from))).exitCode).not.toBe(0)
    await containerd.run('pull', ...access(), '--all-platforms', from)
    expect(await missingBelow(containerd.contentDir, index)).toEqual([])
    await containerd.run('tag', from, to)
    await containerd.run('push', ...access(), to)
    expect((await storedManifest(stage, 'cd/copy', 'all')).digest).toBe(index.manifest.digest)
    expect(await servesEveryByte(stage, 'cd/copy', index)).toBe(true)
  })
})
