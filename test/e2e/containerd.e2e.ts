import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdir, writeFile } from 'node:fs/promises'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { inPrivateMounts } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { missingBelow, push, servesEveryByte, storedManifest } from '../support/clients/wire.ts'
import { buildImage, buildIndex } from '../support/image-builder.ts'
import { ownEnvironment } from '../support/start-registry.ts'

const needed = ['containerd', 'ctr'] as const
const test = testWith(...needed)

describe('containerd pulls and pushes', () => {
  const stage = useStage({ repositories: ['cd/app', 'cd/copy'] })
  const index = buildIndex(
    ['amd64', 'arm64'].map((architecture) =>
      buildImage(`ctr-${architecture}`, { platform: { os: 'linux', architecture } }),
    ),
  )
  const ctr = (...args: string[]) => [client('ctr'), '-a', stage.path('c.sock'), 'images', ...args]
  const access = () => ['--plain-http', '--user', `AWS:${stage.password}`]
  let daemon: Bun.Subprocess | undefined

  beforeAll(async () => {
    if (!hasClients(...needed)) return
    const config = [
      'version = 2',
      `root = "${stage.path('root')}"`,
      `state = "${stage.path('state')}"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      '[grpc]',
      `  address = "${stage.path('c.sock')}"`,
    ]
    await writeFile(stage.path('config.toml'), config.join('\n'))
    await mkdir(stage.path('mounts'))
    const prefix = await inPrivateMounts(stage.path('mounts'))
    daemon = Bun.spawn([...prefix, client('containerd'), '-c', stage.path('config.toml')], {
      env: ownEnvironment(),
      stdin: 'ignore',
      stdout: 'ignore',
      stderr: Bun.file(stage.path('containerd.log')),
    })
    const deadline = Date.now() + 30_000
    while ((await attempt(ctr('ls'))).exitCode !== 0) {
      if (Date.now() > deadline) throw new Error(await Bun.file(stage.path('containerd.log')).text())
      await Bun.sleep(50)
    }
  }, 60_000)
  afterAll(async () => {
    daemon?.kill('SIGTERM')
    await daemon?.exited
  }, 60_000)

  test('all platforms of an index come, go to another repository, and are the same there', async () => {
    await push(stage, 'cd/app', index, 'all')
    const [from, to] = [`${stage.host}/cd/app:all`, `${stage.host}/cd/copy:all`]
    expect((await attempt(ctr('pull', '--plain-http', from))).exitCode).not.toBe(0)
    await run(ctr('pull', ...access(), '--all-platforms', from))
    expect(await missingBelow(stage.path('root/io.containerd.content.v1.content/blobs'), index)).toEqual([])
    await run(ctr('tag', from, to))
    await run(ctr('push', ...access(), to))
    expect((await storedManifest(stage, 'cd/copy', 'all')).digest).toBe(index.manifest.digest)
    expect(await servesEveryByte(stage, 'cd/copy', index)).toBe(true)
  })
})
